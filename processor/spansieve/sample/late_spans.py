"""Verdicts remembered, so that spans which come after the decision follow it."""

from array import array
from collections import OrderedDict
from itertools import islice

from spansieve.model import Decision

_ID = 16
_PIECE = 20_000


class DecisionMemory:
    """Which traces were kept, by which decision, and which were sampled out.

    They are bounded apart: kept traces are few and their late spans matter, sampled-out ones are many. Kept ones are an
    LRU cache, about 200 bytes each; of sampled-out ones 64 bits of the id are kept in two generations, of which the
    older goes when the younger has half the size: about 70 bytes each, and one new trace in 10^13 is taken for one of
    a million. A forgotten trace is a new one when its late spans come. A size of 0 remembers nothing.
    """

    def __init__(self, sampled_cache_size: int, non_sampled_cache_size: int) -> None:
        self._kept: OrderedDict[bytes, Decision] = OrderedDict()
        self._kept_limit = sampled_cache_size
        self._decisions: dict[Decision, Decision] = {}  # one object for equal ones
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._half = non_sampled_cache_size // 2

    def __len__(self) -> int:
        return len(self._kept) + len(self._young) + len(self._old)

    def keep(self, trace_id: bytes, decision: Decision) -> None:
        """Note that a trace was kept."""
        self._kept.pop(trace_id, None)
        if len(self._decisions) > 4096:  # thresholds of shares that adapt come and go
            self._decisions.clear()
        self._kept[trace_id] = self._decisions.setdefault(decision, decision)
        if len(self._kept) > self._kept_limit:
            self._kept.popitem(last=False)

    def drop(self, trace_id: bytes) -> None:
        """Note that a trace was sampled out."""
        self._kept.pop(trace_id, None)
        if not self._half:
            return
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        self._young.add(_fingerprint(trace_id))

    def kept(self, trace_id: bytes) -> Decision | None:
        """The decision by which a trace was kept, which counts as use; None when that is not remembered."""
        decision = self._kept.get(trace_id)
        if decision is not None:
            self._kept.move_to_end(trace_id)
        return decision

    def dropped(self, trace_id: bytes) -> bool:
        """Whether a trace was sampled out, as far as memory goes. Ask `kept` first."""
        fingerprint = _fingerprint(trace_id)
        if fingerprint in self._young:
            return True
        if fingerprint in self._old:
            self._young.add(fingerprint)  # use keeps it, as with those that were kept
            return True
        return False

    def state(self) -> tuple[list[Decision], bytes, bytes, bytes, bytes]:
        """What `restore` takes: decisions, the kept ids, each one's decision by number, the dropped of both ages."""
        decisions = {decision: number for number, decision in enumerate(dict.fromkeys(self._kept.values()))}
        numbers = array("I", [decisions[decision] for decision in self._kept.values()])
        return (
            list(decisions),
            b"".join(self._kept),
            numbers.tobytes(),
            _packed(self._young),
            _packed(self._old),
        )

    def restore(self, state: tuple[list[Decision], bytes, bytes, bytes, bytes]) -> None:
        """Remember what was remembered, as far as today's sizes allow."""
        decisions, ids, numbers, young, old = state
        self._kept = OrderedDict(
            (ids[at * _ID : (at + 1) * _ID], decisions[number]) for at, number in enumerate(array("I", numbers))
        )
        while len(self._kept) > self._kept_limit:
            self._kept.popitem(last=False)
        self._young = set(array("Q", young)) if self._half else set()
        self._old = set(array("Q", old)) if self._half else set()


def _packed(fingerprints: set[int]) -> bytes:
    """Pack piece by piece: a thread that asks for it lets others run between two."""
    packed = array("Q")
    rest = iter(fingerprints)
    while piece := tuple(islice(rest, _PIECE)):
        packed.extend(piece)
    return packed.tobytes()


def _fingerprint(trace_id: bytes) -> int:
    return int.from_bytes(trace_id[:8], "big") ^ int.from_bytes(trace_id[8:], "big")
