"""What stands in the journal: seven kinds of records, and their bytes. Pure.

    Piece           a part of the state of everything behind the journal, as it was when the segment was begun
    Checkpoint      that state is complete: it stands in the pieces before this one
    Batch           one redacted request, and what of it was rejected
    Verdicts        what was decided of which traces
    Parked          kept traces that wait for a peer who is away: whole, so that memory need not hold them
    ParkedRequest   a request of logs or metrics, likewise
    Settled         what left the gateway for good: its peer has it, or refused it

Each is a line of JSON, which names things, followed by bytes. A Batch is what came; the others say what became of it:
what a Batch brought and no other record closes is still owed. Replaying records in their order, through the code that
made them, gives the state that was lost with the process.
"""

import struct
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from pydantic import TypeAdapter

from spansieve.model import Decision, Signal
from spansieve.outcome import Reason

VERSION = 2
"""Of the records. A Checkpoint carries it; a gateway that meets a newer one does not start."""

KINDS = frozenset(range(1, 8))
"""The numbers of the kinds of records, which stand in `encode`."""
KINDS_OF_STATE = frozenset((4, 7))
"""Those of Checkpoint and Piece."""

TRACE_ID_BYTES = 16
_NO_TRACE = bytes(TRACE_ID_BYTES)  # OTLP calls it invalid, so that no trace has it

_FRAME = struct.Struct(">BI")  # kind, length of what follows
_HEAD = struct.Struct(">H")  # length of the JSON
_VERDICT = struct.Struct(">16sIH")  # trace id, spans, number of the decision
_PARKED = struct.Struct(">Q16sIHI")  # position, trace id, spans, number of the decision, length of the payload
_SETTLEMENT = struct.Struct(">QB16sIIH")  # position, signal, trace id, items, dropped, number of the reason
_SIGNALS = (Signal.TRACES, Signal.LOGS, Signal.METRICS)  # the place is the number, and stays

_DECISIONS = TypeAdapter(list[Decision])


class RecordError(ValueError):
    """Bytes that are no record. Behind a checksum and a seal this is another version's writing, or a defect."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the state that the part of this name had after the record at position `after`, and before the next."""

    after: int
    part: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after the record at position `after` stands in the pieces that name it, in this segment.

    `sizes` are bytes, by part. Records that stand after that position come on top of it, those between the pieces too.
    """

    time: float  # of that state, in seconds of the journal's own clock
    after: int
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """A request after redaction: `payload` is an OTLP export request of `items` items, without those `rejected`."""

    time: float
    signal: Signal
    items: int
    rejected: Mapping[Reason, int]
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided of a trace and `spans` spans of it that were waiting; of late spans, what they followed."""

    trace_id: bytes
    spans: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Traces that were decided, in order. `repeated` spans were left out, since their trace had them already."""

    time: float
    verdicts: Sequence[Verdict]
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class ParkedTrace:
    """A kept trace: `payload` is an OTLP request of its `spans` spans; `released` the position of its Verdicts."""

    released: int
    trace_id: bytes
    spans: int
    decision: Decision
    payload: bytes = field(repr=False)

    @property
    def signal(self) -> Signal:
        """Of what it is."""
        return Signal.TRACES

    @property
    def items(self) -> int:
        """Its spans."""
        return self.spans


@dataclass(frozen=True, slots=True)
class Parked:
    """Traces that wait here, and in no older record any more."""

    traces: Sequence[ParkedTrace]


@dataclass(frozen=True, slots=True)
class ParkedRequest:
    """A request of logs or metrics that waits here as it is to leave; `released` is the position of its Batch."""

    released: int
    signal: Signal
    items: int
    payload: bytes = field(repr=False)

    @property
    def trace_id(self) -> bytes:
        """Of no trace."""
        return b""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A trace, or a request of logs or metrics (`trace_id` is empty then), that has left the gateway.

    `position` is that of the record that released it: the Verdicts, or the Batch of a request. `dropped` of its `items`
    were not accepted, for `reason`.
    """

    position: int
    signal: Signal
    trace_id: bytes
    items: int
    dropped: int = 0
    reason: Reason = Reason.NONE


@dataclass(frozen=True, slots=True)
class Settled:
    """What left."""

    settlements: Sequence[Settlement]


Record: TypeAlias = Piece | Checkpoint | Batch | Verdicts | Parked | ParkedRequest | Settled


def encode(record: Record) -> bytes:
    """Serialize a record, framed: records one after the other are a block's content."""
    match record:
        case Batch(time, signal, items, rejected, payload):
            head = {"time": time, "signal": signal, "items": items}
            if rejected:
                head["rejected"] = {reason.value: refused for reason, refused in rejected.items()}
            return _framed(1, head, payload)
        case Verdicts(time, verdicts, repeated):
            decisions: dict[Decision, int] = {}
            body = b"".join(
                [
                    _VERDICT.pack(each.trace_id, each.spans, decisions.setdefault(each.decision, len(decisions)))
                    for each in verdicts
                ]
            )
            made = _DECISIONS.dump_python(list(decisions), mode="json")
            return _framed(2, {"time": time, "decisions": made, "repeated": repeated}, body)
        case Settled(settlements):
            reasons: dict[Reason, int] = {}
            body = b"".join(
                [
                    _SETTLEMENT.pack(
                        each.position,
                        _SIGNALS.index(each.signal),
                        each.trace_id or _NO_TRACE,
                        each.items,
                        each.dropped,
                        reasons.setdefault(each.reason, len(reasons)),
                    )
                    for each in settlements
                ]
            )
            return _framed(3, {"reasons": list(reasons)}, body)
        case Parked(traces):
            decisions = {}
            heads = b"".join(
                [
                    _PARKED.pack(
                        each.released,
                        each.trace_id,
                        each.spans,
                        decisions.setdefault(each.decision, len(decisions)),
                        len(each.payload),
                    )
                    for each in traces
                ]
            )
            made = _DECISIONS.dump_python(list(decisions), mode="json")
            payloads = b"".join([each.payload for each in traces])
            return _framed(5, {"decisions": made, "traces": len(traces)}, heads + payloads)
        case ParkedRequest(released, signal, items, payload):
            return _framed(6, {"released": released, "signal": signal, "items": items}, payload)
        case Checkpoint(time, after, sizes):
            return _framed(4, {"version": VERSION, "time": time, "after": after, "sizes": dict(sizes)})
        case Piece(after, part, data):
            return _framed(7, {"after": after, "part": part}, data)


def decode(block: bytes, kinds: AbstractSet[int] = KINDS) -> list[Record]:
    """Read a block's records, those of other `kinds` left out. Raises RecordError."""
    records: list[Record] = []
    at = 0
    try:
        while at < len(block):
            kind, length = _FRAME.unpack_from(block, at)
            at += _FRAME.size
            if at + length > len(block):
                raise RecordError("a record ends before it should")
            if kind in kinds or kind not in KINDS:
                records.append(_decode(kind, block[at : at + length]))
            at += length
    except (struct.error, KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"a record is not as it should be: {type(error).__name__}") from None
    return records


def _framed(kind: int, head: Mapping[str, Any], *bodies: bytes) -> bytes:
    line = orjson.dumps(head)
    size = _HEAD.size + len(line) + sum(map(len, bodies))
    return b"".join((_FRAME.pack(kind, size), _HEAD.pack(len(line)), line, *bodies))


def _decode(kind: int, data: bytes) -> Record:
    (length,) = _HEAD.unpack_from(data)
    head = orjson.loads(data[_HEAD.size : _HEAD.size + length])
    body = data[_HEAD.size + length :]
    match kind:
        case 1:
            rejected = {Reason(reason): items for reason, items in head.get("rejected", {}).items()}
            return Batch(head["time"], Signal(head["signal"]), head["items"], rejected, body)
        case 2:
            decisions = _DECISIONS.validate_python(head["decisions"])
            return Verdicts(
                head["time"],
                [Verdict(trace_id, spans, decisions[number]) for trace_id, spans, number in _VERDICT.iter_unpack(body)],
                head["repeated"],
            )
        case 3:
            reasons = [Reason(reason) for reason in head["reasons"]]
            return Settled(
                [
                    Settlement(
                        position,
                        _SIGNALS[signal],
                        b"" if trace_id == _NO_TRACE else trace_id,
                        items,
                        dropped,
                        reasons[number],
                    )
                    for position, signal, trace_id, items, dropped, number in _SETTLEMENT.iter_unpack(body)
                ]
            )
        case 4:
            if head["version"] != VERSION:
                raise RecordError(f"records of version {head['version']}, and this gateway knows {VERSION}")
            return Checkpoint(head["time"], head["after"], head["sizes"])
        case 5:
            return _parked(head, body)
        case 6:
            return ParkedRequest(head["released"], Signal(head["signal"]), head["items"], body)
        case 7:
            return Piece(head["after"], head["part"], body)
        case _:
            raise RecordError(f"a record of kind {kind}, which this version does not know")


def _parked(head: Mapping[str, Any], body: bytes) -> Parked:
    decisions = _DECISIONS.validate_python(head["decisions"])
    traces: list[ParkedTrace] = []
    at = end = head["traces"] * _PARKED.size
    for released, trace_id, spans, number, length in _PARKED.iter_unpack(body[:end]):
        traces.append(ParkedTrace(released, trace_id, spans, decisions[number], body[at : at + length]))
        at += length
    return Parked(traces)
