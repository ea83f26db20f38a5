"""Resources and scopes: redacted once, known again, within bounds."""

from collections import Counter

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from spansieve.errors import MalformedRequest
from spansieve.model import Envelope
from spansieve.redact.otlp.envelopes import Envelopes
from unit.redact.helpers_redact import default_rules

_MAIL = "jane.roe@example.com"


def _envelope(resource: str = "shop", scope: str = "http", url: str = "https://example.test/1") -> Envelope:
    """As decode gives it: of bytes of its own each time."""
    message = Resource()
    message.attributes.add(key="service.name").value.string_value = resource
    return Envelope(message.SerializeToString(), url, InstrumentationScope(name=scope).SerializeToString(), url)


def _redact(envelopes: Envelopes, raw: Envelope, *, same_resource: bool = False) -> tuple[Envelope, Counter[str]]:
    findings: Counter[str] = Counter()
    return envelopes.redact(raw, findings, same_resource=same_resource), findings


@pytest.mark.parametrize(
    "raw",
    [
        _envelope(),
        _envelope(resource=_MAIL),
        _envelope(scope=_MAIL),
        _envelope(url=f"https://example.test/{_MAIL}"),
        _envelope(resource="x" * 10_000),
        _envelope(resource="x" * 10_000 + _MAIL),
    ],
    ids=["clean", "resource", "scope", "schema url", "large", "large resource"],
)
def test_what_is_known_leaves_as_what_is_new(raw: Envelope) -> None:
    """The third time as the first, with the same findings."""
    envelopes = Envelopes(default_rules())
    first, found = _redact(envelopes, raw)
    assert _MAIL.encode() not in first.resource + first.scope + first.resource_schema_url.encode()
    assert [_redact(envelopes, raw) for _ in range(2)] == [(first, found)] * 2


def test_equal_envelopes_leave_as_one_object() -> None:
    """Those who group by envelopes compare it with itself."""
    envelopes = Envelopes(default_rules())
    assert _redact(envelopes, _envelope())[0] is _redact(envelopes, _envelope())[0]
    assert _redact(envelopes, _envelope(_MAIL))[0] is _redact(envelopes, _envelope(_MAIL))[0]


def test_a_resource_is_counted_once_for_all_its_scopes() -> None:
    """Its findings are told with the first scope, also when it is known."""
    envelopes = Envelopes(default_rules())
    for _ in range(2):
        assert _redact(envelopes, _envelope(_MAIL, "a"))[1].total() == 1
        assert _redact(envelopes, _envelope(_MAIL, "b"), same_resource=True)[1].total() == 0


@pytest.mark.parametrize("part", ["resource", "scope"])
def test_what_is_no_resource_or_scope_is_refused(part: str) -> None:
    """Each time: it is not remembered."""
    envelopes = Envelopes(default_rules())
    good = _envelope()
    raw = Envelope(b"\xff" if part == "resource" else good.resource, "", b"\xff" if part == "scope" else good.scope, "")
    for _ in range(2):
        with pytest.raises(MalformedRequest):
            _redact(envelopes, raw)


def test_ever_new_envelopes_do_not_fill_the_memory() -> None:
    """Neither many small ones, nor large ones at all."""
    envelopes = Envelopes(default_rules())
    for number in range(1500):
        _redact(envelopes, _envelope(f"shop {number}"))
    assert len(envelopes) <= 1024
    before = len(envelopes)
    large = [_redact(envelopes, _envelope("x" * 9000 + str(number)))[0] for number in range(3)]
    assert len(set(large)) == 3
    assert len(envelopes) == before


def test_an_envelope_shows_nothing_of_what_it_holds() -> None:
    """Before redaction it is raw: what is printed of it is its size."""
    assert repr(Envelope(b"jane", "https://jane", b"roe", "")) == "Envelope(19 bytes)"
