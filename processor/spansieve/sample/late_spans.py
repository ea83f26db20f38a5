"""Verdicts remembered, so that spans which come after the decision follow it."""

from array import array
from collections import OrderedDict

from spansieve.model import Decision

_ID = 16


class DecisionMemory:
    """Which traces were kept, by which decision, and which were sampled out.

    They are bounded apart: kept traces are few and their late spans matter, sampled-out ones are many. Kept ones are an
    LRU cache, about 200 bytes each; of sampled-out ones 64 bits of the id are kept in two generations, of which the
    older goes when the younger has half the size: about 80 bytes each, and one new trace in 10^13 is taken for one of
    a million. A forgotten trace is a new one when its late spans come. A size of 0 remembers nothing.
    """

    def __init__(self, sampled_cache_size: int, non_sampled_cache_size: int) -> None:
        self._kept: OrderedDict[bytes, Decision] = OrderedDict()
        self._kept_limit = sampled_cache_size
        self._decisions: dict[Decision, Decision] = {}  # one object for equal ones
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._joined = array("Q"), array("Q")  # the same, young and old, as a checkpoint takes them
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
            self._joined = array("Q"), self._joined[0]
        self._note(_fingerprint(trace_id))

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
            self._note(fingerprint)  # use keeps it, as with those that were kept
            return True
        return False

    def state(self) -> tuple[list[Decision], bytes, bytes, bytes, bytes]:
        """What `restore` takes: decisions, the kept ids, each one's decision by number, the dropped of both ages."""
        kept = self._kept.values()
        decisions = {
            id(each): each for each in kept
        }  # to hash each of a hundred thousand would take a tenth of a second
        numbers = {key: number for number, key in enumerate(decisions)}
        young, old = self._joined
        return (
            list(decisions.values()),
            b"".join(self._kept),
            array("I", map(numbers.__getitem__, map(id, kept))).tobytes(),
            young.tobytes(),
            old.tobytes(),
        )

    def restore(self, state: tuple[list[Decision], bytes, bytes, bytes, bytes]) -> None:
        """Remember what was remembered, as far as today's sizes allow."""
        decisions, ids, numbers, young, old = state
        self._kept = OrderedDict(
            (ids[at * _ID : (at + 1) * _ID], decisions[number]) for at, number in enumerate(array("I", numbers))
        )
        while len(self._kept) > self._kept_limit:
            self._kept.popitem(last=False)
        self._joined = (array("Q", young), array("Q", old)) if self._half else (array("Q"), array("Q"))
        self._young, self._old = map(set, self._joined)

    def _note(self, fingerprint: int) -> None:
        """Remember one among the young."""
        if fingerprint not in self._young:
            self._young.add(fingerprint)
            self._joined[0].append(fingerprint)


def _fingerprint(trace_id: bytes) -> int:
    return int.from_bytes(trace_id[:8], "big") ^ int.from_bytes(trace_id[8:], "big")
