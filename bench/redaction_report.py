"""The figures of `bench.redaction` as a page."""

from collections.abc import Mapping
from typing import Any, Final

from bench.tables import table

TARGETS: Final = {"clean": 300, "dense": 20}
"""MB/s on one core that the design asks for."""

PRESIDIO_TARGET: Final = 100
"""So many times as fast as Presidio, with the same entities."""

TURNS_TARGET: Final = 2.5
"""So many times its messages a conversation may cost."""

HOSTILE_TARGET: Final = 50
"""Milliseconds for a text of 64 KiB."""

_ASKED: Final = {"same": "all that both find", "nine": "nine"}

_HEAD: Final = """\
# Redaction alone

`python -m bench.redaction`: CPU time of one core, the policy `default`, texts of 8 KB, nothing remembered but in the
conversation. What the texts are, and what Presidio is asked for, says the head of `bench/redaction.py`.
"""


def markdown(results: Mapping[str, Any]) -> str:
    """Write the page from what `bench.redaction.run` returns."""
    parts = [_HEAD, "".join(f"- {name}: {said}\n" for name, said in results["machine"].items())]
    rows = [
        [
            kind,
            f"{cell['mb_s']:.1f}",
            str(TARGETS.get(kind, "")),
            str(cell["bytes_per_value"]) if cell["values"] else "",
        ]
        for kind, cell in results["texts"].items()
    ]
    parts.append(table(["texts", "MB/s", "aim", "bytes a value"], rows))
    beside = [
        [
            kind,
            _ASKED[asked],
            f"{each['mb_s']:.1f}",
            f"{each['presidio_mb_s']:.3f}",
            f"{each['mb_s'] / each['presidio_mb_s']:.0f}",
            f"{each['values']} / {each['presidio_values']}",
        ]
        for kind, cell in results["texts"].items()
        for asked, each in cell.get("beside", {}).items()
    ]
    if beside:
        parts.append(f"Beside Presidio's `analyze()` (aim: {PRESIDIO_TARGET} times, with all that both find):\n")
        parts.append(
            table(["texts", "entities", "MB/s", "Presidio", "times", "values a text, ours / Presidio's"], beside)
        )
    parts.append(f"A conversation of 20 turns costs {results['turns']:.2f} times its messages (aim: {TURNS_TARGET}).\n")
    parts.append(f"Texts of 64 KiB that are made to be slow (aim: {HOSTILE_TARGET} ms each):\n")
    parts.append(table(["made of", "ms"], [[name, f"{ms:.1f}"] for name, ms in results["hostile_ms"].items()]))
    return "\n".join(parts)
