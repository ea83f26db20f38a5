"""What a worker and the owner say to each other: framed, bounded messages, and their bytes. Pure.

    Terms ─▶ worker        Ready or Unable ─▶ owner       what to receive and to redact by, and whether the worker does
    Handed ─▶ owner        Taken ─▶ worker                a redacted request, and what became of it
    Load ─▶ worker         Counted ─▶ owner               what the owner holds; what the worker answered and holds
    Stop ─▶ worker

A frame is a length, a kind, a number that tells which answer belongs to which request, a line of JSON, which names
things, and bytes. Only what is redacted is ever in one.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from spansieve.model import Signal
from spansieve.outcome import Reason

LARGEST_BYTES: Final = 1280 * 1024 * 1024
"""The bound of a frame: the largest request that a receiver can be configured for (1 GiB), with room for what
redaction adds."""

_HEAD = struct.Struct(">IBQI")  # length of what follows the head, kind, number, length of the JSON


class FrameError(ValueError):
    """Bytes that are no frame. Both ends are of one version, so that this is a defect: the connection ends."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a worker serves, on which host:port each, and by which policy it redacts; its own limits."""

    round: int
    redaction: Mapping[str, Any]  # config.Redaction, as JSON
    protocols: Mapping[str, Any]  # config.Protocols, as JSON
    fingerprint: str  # agreement.fingerprint of the rules that the policy must compile to
    limit_bytes: int  # that the gateway may hold as a whole
    share_bytes: int  # that the worker may have under way


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker receives, and redacts by the terms of this round."""

    round: int


@dataclass(frozen=True, slots=True)
class Unable:
    """The worker cannot do what the terms of this round say, and refuses every request. Reasons, as ConfigError's."""

    round: int
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Handed:
    """A request after redaction: `payload` is an OTLP export request of `items` items, without those `rejected`.

    `findings` counts what was replaced, by rule; the seconds are what the two stages took.
    """

    number: int
    signal: Signal
    items: int
    rejected: Mapping[Reason, int]
    findings: Mapping[str, int]
    decode_seconds: float
    redact_seconds: float
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """As errors.Unavailable."""

    description: str
    reason: str
    retry_after: float


@dataclass(frozen=True, slots=True)
class Taken:
    """The owner has the request of this number, or refused it, or `failed` on it, by a defect."""

    number: int
    refused: Refused | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """The bytes that the owner holds."""

    held_bytes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Since the last time: requests by transport, signal (empty for none) and code; defects by transport.

    Empty every second: the worker is there, and its work goes on.
    `waiting_bytes` is what the worker has under way.
    """

    requests: Sequence[tuple[str, str, str, int]]
    defects: Mapping[str, int]
    waiting_bytes: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Refuse what is new, finish what is under way within `grace` seconds, and end."""

    grace: float


Frame: TypeAlias = Terms | Ready | Unable | Handed | Taken | Load | Counted | Stop


def encode(frame: Frame) -> bytes:
    """Serialize a frame."""
    match frame:
        case Handed(number, signal, items, rejected, findings, decoding, redacting, payload):
            by_reason = {reason.value: count for reason, count in rejected.items()}
            head = [signal, items, by_reason, findings, decoding, redacting]
            return _framed(1, number, head, payload)
        case Taken(number, refused, failed):
            why = None if refused is None else [refused.description, refused.reason, refused.retry_after]
            return _framed(2, number, [why, failed])
        case Load(held_bytes):
            return _framed(3, held_bytes, [])
        case Counted(requests, defects, waiting_bytes):
            return _framed(4, waiting_bytes, [requests, defects])
        case Terms(number, redaction, protocols, fingerprint, limit_bytes, share_bytes):
            return _framed(5, number, [redaction, protocols, fingerprint, limit_bytes, share_bytes])
        case Ready(number):
            return _framed(6, number, [])
        case Unable(number, problems):
            return _framed(7, number, list(problems))
        case Stop(grace):
            return _framed(8, 0, [grace])


class Reader:
    """Puts frames together from the bytes of a stream."""

    def __init__(self, largest: int = LARGEST_BYTES) -> None:
        """Frames of more than `largest` bytes behind the head are refused before they are gathered."""
        self._largest = largest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take the next bytes, and give the frames that are whole now. Raises FrameError; nothing can be read then."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= _HEAD.size:
                length, kind, number, line = _HEAD.unpack_from(buffer, at)
                if length > self._largest or line > length:
                    raise FrameError("a frame is longer than any may be")
                end = at + _HEAD.size + length
                if len(buffer) < end:
                    break
                with memoryview(buffer) as view:
                    middle = at + _HEAD.size + line
                    head, body = bytes(view[at + _HEAD.size : middle]), bytes(view[middle:end])
                at = end
                yield _decode(kind, number, head, body)
        finally:
            del buffer[:at]


def _framed(kind: int, number: int, head: Any, body: bytes = b"") -> bytes:  # noqa: ANN401 - JSON
    line = orjson.dumps(head)
    return b"".join((_HEAD.pack(len(line) + len(body), kind, number, len(line)), line, body))


def _decode(kind: int, number: int, line: bytes, body: bytes) -> Frame:
    try:
        return _frame(kind, number, orjson.loads(line), body)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FrameError(f"a frame of kind {kind} is not as it should be: {type(error).__name__}") from None


def _frame(kind: int, number: int, head: Any, body: bytes) -> Frame:  # noqa: ANN401 - JSON
    match kind:
        case 1:
            signal, items, rejected, findings, decoding, redacting = head
            by_reason = {Reason(reason): count for reason, count in rejected.items()}
            return Handed(number, Signal(signal), items, by_reason, findings, decoding, redacting, body)
        case 2:
            why, failed = head
            return Taken(number, None if why is None else Refused(*why), failed)
        case 3:
            return Load(number)
        case 4:
            requests, defects = head
            return Counted([(*labels, count) for *labels, count in requests], defects, number)
        case 5:
            return Terms(number, *head)
        case 6:
            return Ready(number)
        case 7:
            return Unable(number, head)
        case 8:
            return Stop(*head)
        case _:
            raise FrameError("a frame of a kind that this version does not know")
