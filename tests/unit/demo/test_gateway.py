import socket
from pathlib import Path

import pytest
from demo.gateway import Gateway, GatewayFailed, Samples, environment, free_ports

TEXT = """
# TYPE calls counter
calls_total{model="a",outcome="ok"} 2
calls_total{model="a",outcome="error"} 1
calls_total{model="b",outcome="ok"} 4
calls_total{outcome="ok"} 8
"""


def test_total_adds_what_has_the_labels() -> None:
    """Labels that are not named may have any value."""
    assert Samples(TEXT).total("calls_total", outcome="ok") == 14


def test_total_of_nothing_is_zero() -> None:
    """A series that never came up counts nothing."""
    assert Samples(TEXT).total("errors_total") == 0


def test_by_label_adds_for_each_value() -> None:
    """A series without the label is under the empty text."""
    assert Samples(TEXT).by("model", "calls_total") == {"a": 3, "b": 4, "": 8}


def test_free_ports_can_be_bound() -> None:
    """Each port is another one, and nobody has it."""
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_environment_has_nothing_of_the_users_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_* of whoever starts the demo does not decide where its telemetry goes, nor does a proxy."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere:4317")
    monkeypatch.setenv("NO_PROXY", "")
    made = environment()
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in made
    assert made["NO_PROXY"] == "127.0.0.1"


def test_gateway_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A configuration that is refused comes back in the message."""
    with pytest.raises(GatewayFailed, match="no_such_key"), Gateway(tmp_path, {"no_such_key": 1}):
        pytest.fail("it must not start")


def test_gateway_that_was_not_started_cannot_be_stopped(tmp_path: Path) -> None:
    """Stopping what does not run is a mistake, not a silence."""
    with pytest.raises(GatewayFailed, match="not been started"):
        Gateway(tmp_path, {}).stop()
