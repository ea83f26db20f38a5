"""What a span's tracestate says of sampling: OpenTelemetry's entry `ot`, with `th` and `rv` in it. Pure.

Sources: W3C Trace Context, «tracestate»; OpenTelemetry specification/trace/tracestate-handling.md and
tracestate-probability-sampling.md. A trace has 56 bits of randomness R; a stage with threshold T keeps it iff R >= T,
and a span that was kept so stands for 2^56 / (2^56 - T) spans, its adjusted count.
"""

import re
from typing import Final

NEVER: Final = 1 << 56
"""One more than any randomness: the threshold that keeps nothing. It cannot be written as `th`."""

_DIGITS = 14
_LONGEST_ENTRY = 256
_MOST_MEMBERS = 32  # of a tracestate: who reads one with more may pass over all of it
_TH = re.compile(r"[0-9a-fA-F]{1,14}")
_RV = re.compile(r"[0-9a-fA-F]{14}")


def threshold(trace_state: str) -> int | None:
    """T of the stages before us, 0 to 2^56 - 1; None when it is absent or malformed: the probability is unknown."""
    given = _sub_key(trace_state, "th")
    return int(given.ljust(_DIGITS, "0"), 16) if given is not None and _TH.fullmatch(given) else None


def randomness(trace_state: str, trace_id: bytes) -> int:
    """R: the explicit `rv` if there is one, else the low 56 bits of the trace id (W3C Trace Context Level 2)."""
    if "rv:" in trace_state:
        given = _sub_key(trace_state, "rv")
        if given is not None and _RV.fullmatch(given):
            return int(given, 16)
    return int.from_bytes(trace_id[9:], "big")


def adjusted_count(of: int) -> float:
    """How many spans one stands for that a stage with this threshold kept. `of` is below NEVER."""
    return NEVER / (NEVER - of)


def written(of: int) -> str:
    """A threshold below NEVER as `th` has it: hexadecimal, trailing zeros cut."""
    return f"{of:014x}".rstrip("0") or "0"


def with_threshold(trace_state: str, of: int | None) -> str:
    """The tracestate with this threshold as `th`, without any for None; all else in it stays.

    An entry that was changed moves to the front, as W3C asks. When the entry would grow beyond 256 characters, or be a
    member too many, there is no `th`: a probability that is not told is unknown, one that is told wrong is wrong.
    """
    members = [member for member in trace_state.split(",") if member.strip()]
    own = next((member for member in members if member.strip().startswith("ot=")), None)
    pairs = own.strip()[3:].split(";") if own is not None else []
    others = [pair for pair in pairs if pair and not pair.startswith("th:")]
    entry = ";".join(others if of is None else [f"th:{written(of)}", *others])
    if len(entry) > _LONGEST_ENTRY:
        entry = ";".join(others)
    rest = [member for member in members if not member.strip().startswith("ot=")]
    if own is None and len(rest) >= _MOST_MEMBERS:
        return trace_state
    return ",".join([f"ot={entry}", *rest] if entry else rest)


def _sub_key(trace_state: str, key: str) -> str | None:
    """The value of a key in the entry `ot`; None when there is none."""
    if "ot=" not in trace_state:
        return None
    for member in trace_state.split(","):
        name, _, entry = member.strip().partition("=")
        if name == "ot":
            for pair in entry.split(";"):
                given, separator, value = pair.partition(":")
                if separator and given == key:
                    return value
            return None
    return None
