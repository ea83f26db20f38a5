"""What names in free text cost: per word, per kept LLM span, per conversation, in memory and at the start.

    python -m bench.names [--json FILE]

- **warm**, **cold**: words a second from string to spans, messages of 200 words; cold is with an empty memory of words.
- **kept span**: the stage between verdict and export, over kept `chat` traces, per LLM span; and what share of a core
  that is at 1,000 LLM spans a second of which a tenth is kept.
- **turns**: a conversation of 20 turns, each sending all that was said; its cost against that of its unique text.

Time is the process's CPU time, on one thread. Leaves out: queueing and the hand-over between threads.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the gateway, before numpy is loaded

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bench.machine import describe
from bench.micro import default_rules
from bench.processes import ROOT, Failed, environment
from bench.prose import Prose
from bench.shapes import SHAPES, Application
from spansieve.facts import TraceFacts
from spansieve.model import Decision, Envelope, SampledTrace, SpanGroup, Trigger

_MESSAGES = 400
_WORDS = 200
_TRACES = 150
_TURNS = 20
_LLM_SPANS_A_SECOND, _KEPT = 1000, 0.1
_MIB = 1024


def main() -> None:
    """Measure and print; with --json write the figures too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    results = run()
    sys.stdout.write(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": describe(), **results}, indent=1), encoding="utf-8")


def run() -> dict[str, Any]:
    """Measure all. The model is loaded here, so that start and memory show."""
    rules = default_rules()
    held = _most_resident_kib()
    begun = time.process_time()
    from spansieve.names import model  # noqa: PLC0415 - what loading costs is measured
    from spansieve.names.recogniser import Recogniser  # noqa: PLC0415 - as above
    from spansieve.names.redactor import Redactor  # noqa: PLC0415 - as above

    shipped = model.shipped()
    redactor = Redactor(rules, shipped)
    redactor.text("Jane Roe lives in Berlin.")
    started = time.process_time() - begun
    said = _messages()
    words = sum(len(text.split()) for text in said)
    recogniser = Recogniser(shipped, shipped.thresholds)
    cold = _spent(lambda: [recogniser.find([text]) for text in said])
    recogniser._young.clear()  # noqa: SLF001 - what was found is forgotten, the words are known
    recogniser._old.clear()  # noqa: SLF001 - as above
    warm = _spent(lambda: [recogniser.find([text]) for text in said])
    kept, spans = _kept_chat()
    span = _spent(lambda: _redact_all(kept, Redactor(rules, shipped))) / spans
    return {
        "words_warm": words / warm,
        "words_cold": words / cold,
        "start_seconds": started,
        "memory_mib": (_most_resident_kib() - held) / _MIB,
        "span_microseconds": span * 1e6,
        "core_share": span * _LLM_SPANS_A_SECOND * _KEPT,
        "turns": _conversation(lambda: Redactor(rules, shipped)),
    }


def measure() -> dict[str, Any]:
    """Measure all in a process of its own, in which nothing is loaded yet. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="bench-names-") as directory:
        file = Path(directory) / "names.json"
        command = [sys.executable, "-m", "bench.names", "--json", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise Failed(f"bench.names ended with {done.returncode}: {done.stderr[-500:]}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {key: found[key] for key in found if key != "machine"}


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown, for the report."""
    share = f"share of a core at {_LLM_SPANS_A_SECOND:,} LLM spans/s, {_KEPT:.0%} kept"
    rows = [
        ("words a second, warm", f"{results['words_warm']:,.0f}", "≥ 250,000", results["words_warm"] >= 250_000),
        ("words a second, cold", f"{results['words_cold']:,.0f}", "≥ 120,000", results["words_cold"] >= 120_000),
        ("per kept LLM span", f"{results['span_microseconds']:,.0f} µs", "", False),
        (share, f"{results['core_share']:.1%}", "", False),
        (
            f"a conversation of {_TURNS} turns, against its unique text",
            f"{results['turns']:.2f}-fold",
            "≤ 2.5",
            results["turns"] <= 2.5,
        ),
        ("start", f"{results['start_seconds']:.2f} s", "≤ 0.5 s", results["start_seconds"] <= 0.5),
        ("memory", f"{results['memory_mib']:.0f} MiB", "≤ 120 MB", results["memory_mib"] <= 114),
    ]
    lines = [f"| {what} | {found} | {aim}{', reached' if reached else ''} |" for what, found, aim, reached in rows]
    return "\n".join(["| names in free text | | aim |", "|---|---|---|", *lines, ""])


def _most_resident_kib() -> int:
    """The most memory that this process has held. Not getrusage's: that begins with what the parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def _messages() -> list[str]:
    prose = Prose(Random("names"))  # noqa: S311 - not a secret
    words = prose.text(_MESSAGES * _WORDS * 8, []).split()
    return [" ".join(words[at : at + _WORDS]) for at in range(0, _MESSAGES * _WORDS, _WORDS)]


def _kept_chat() -> tuple[list[SampledTrace], int]:
    """Kept traces of the kind `chat`, and how many LLM spans are in them."""
    app = Application(0, Random("kept"), "mark")  # noqa: S311 - not a secret
    kept: list[SampledTrace] = []
    calls = 0
    for _ in range(_TRACES):
        written = list(SHAPES["chat"](app, 1_700_000_000_000_000_000))
        calls += sum(any(each.key.startswith("gen_ai.") for each in one.span.attributes) for one in written)
        data = tuple([one.span.SerializeToString() for one in written])
        facts = TraceFacts(len(data), 0, 0, 0, 1, True, sum(map(len, data)))  # noqa: FBT003 - has_root
        decision = Decision(keep=True, policy="all", trigger=Trigger.WAIT_EXPIRED)
        kept.append(SampledTrace(b"t" * 16, (SpanGroup(Envelope(b"", "", b"", ""), data),), facts, decision))
    return kept, calls


def _redact_all(kept: Sequence[SampledTrace], redactor: Any) -> None:  # noqa: ANN401 - imported late
    from spansieve.names import otlp  # noqa: PLC0415

    for trace in kept:
        otlp.trace(trace, redactor)


def _conversation(make: Callable[[], Any]) -> float:
    """What 20 turns that resend all before them cost, as a multiple of what their messages cost once each."""
    prose = Prose(Random("turns"))  # noqa: S311 - not a secret
    said = [prose.text(1024, []) for _ in range(2 * _TURNS)]

    def sent(texts: Sequence[str]) -> str:
        return json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]} for text in texts])

    turns = [sent(said[: 2 * turn + 1]) for turn in range(_TURNS)]
    once = [sent([text]) for text in said]
    ratios = [_spent(partial(_read, make(), turns)) / _spent(partial(_read, make(), once)) for _ in range(3)]
    return sorted(ratios)[1]


def _read(redactor: Any, texts: Sequence[str]) -> None:  # noqa: ANN401 - what `make` makes
    for text in texts:
        redactor.text(text, "gen_ai.input.messages")


def _spent(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
