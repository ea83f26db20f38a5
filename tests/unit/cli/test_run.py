"""`spansieve run`, as a process."""

import json
import subprocess
import sys
from pathlib import Path

_CONFIGURATION = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
redaction: {policy: metadata-only}
telemetry: {metrics: {endpoint: "127.0.0.1:0"}}
"""
_BROKEN = """
import sys
from spansieve.__main__ import main
from spansieve.pipeline import Pipeline
def decide_due(_):
    raise RuntimeError("raw words")
Pipeline.decide_due = decide_due
sys.exit(main())
"""


def test_a_gateway_that_can_decide_nothing_any_more_ends_to_be_started_anew(tmp_path: Path) -> None:
    """In order, and with exit code 1: who starts it again only after a failure does so."""
    file = tmp_path / "gateway.yaml"
    file.write_text(f"{_CONFIGURATION}storage: {{directory: {tmp_path}/data}}\n", encoding="utf-8")
    command = [sys.executable, "-c", _BROKEN, "run", "--config", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    lines = {line["event"]: line for line in map(json.loads, ended.stderr.splitlines())}
    assert (lines["task_failed"]["task"], lines["task_failed"]["exception"]) == ("decide", "RuntimeError")
    assert lines["stopped"]["balanced"]
    assert "raw words" not in ended.stderr
