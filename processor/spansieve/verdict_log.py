"""What was decided of which trace, for `spansieve why`: files of JSON lines, bounded in size. No content, only ids.

    {"trace_id":"…","at":"2026-01-01T12:00:00Z","verdict":"sampled_out","policy":"","reason":"not_in_share", …}

The log is for people who ask; nothing of the gateway depends on it. When it cannot be written the gateway goes on, and
counts what is missing.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from spansieve.model import Decision
from spansieve.tracestate import adjusted_count

_NAME: Final = "verdicts.jsonl"
_OLDER: Final = "verdicts.older.jsonl"
_FLUSH_BYTES: Final = 1 << 16


class VerdictLog:
    """The two files of one gateway under `directory`; together they take `max_bytes`. One owner, no locks.

    `missing` counts verdicts that could not be written.
    """

    def __init__(self, directory: Path, max_bytes: int, wall_ns: Callable[[], int]) -> None:
        self._wall_ns = wall_ns
        self._file = directory / _NAME
        self._older = directory / _OLDER
        self._half = max_bytes // 2
        self._lines: list[bytes] = []
        self._pending = 0
        self._is_whole = False  # whether the file is known to end with a whole line
        self.missing = 0

    def note(self, verdicts: Sequence[tuple[bytes, Decision]]) -> None:
        """Enter verdicts of this moment. They are written when some have gathered, or by `flush`."""
        if not verdicts:
            return
        at = datetime.fromtimestamp(self._wall_ns() // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        tails: dict[Decision, bytes] = {}
        for trace_id, decision in verdicts:
            tail = tails.get(decision)
            if tail is None:
                tail = tails[decision] = b'","at":"' + at.encode() + b'",' + orjson.dumps(_told(decision))[1:] + b"\n"
            line = b'{"trace_id":"' + trace_id.hex().encode() + tail
            self._lines.append(line)
            self._pending += len(line)
        if self._pending >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        if not self._lines:
            return
        lines, self._lines, self._pending = self._lines, [], 0
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._file, "ab", opener=_owners_alone) as file:
                if not self._is_whole and file.tell():
                    file.write(b"\n")  # a kill, or a full disk, may have cut a line off: it shall not spoil the next
                self._is_whole = False
                file.writelines(lines)
                size = file.tell()
            self._is_whole = True
            if size > self._half:
                self._file.replace(self._older)
        except OSError:
            self.missing += len(lines)


def _owners_alone(path: str, flags: int) -> int:
    """Open for the owner alone, and never another file by a link that somebody put there."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _told(decision: Decision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "verdict": "kept" if decision.keep else "sampled_out",
        "policy": decision.policy,
        "reason": decision.because,
        "trigger": decision.trigger,
    }
    if decision.keep and decision.threshold is not None:
        told["rate"] = adjusted_count(decision.threshold)
    return told


def search(directory: Path, trace_id: str) -> Sequence[dict[str, Any]]:
    """The verdicts on a trace (its id in hexadecimal), oldest first; empty when none is in the log.

    Raises FileNotFoundError when there is no log under `directory`.
    """
    needle = b'{"trace_id":"' + trace_id.lower().encode() + b'"'
    files = [file for file in (directory / _OLDER, directory / _NAME) if file.exists()]
    if not files:
        raise FileNotFoundError(directory / _NAME)
    return [verdict for file in files for verdict in _verdicts_with(file, needle)]


def _verdicts_with(file: Path, needle: bytes) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        for line in lines:
            if line.startswith(needle):
                # A line that is cut off is still being written, or never will be.
                with suppress(orjson.JSONDecodeError):
                    yield orjson.loads(line)
