"""A sampler's state as bytes, and back: a line of JSON for what is small and named, ids as they are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import orjson

from spansieve import pieces
from spansieve.model import Because, Trigger
from spansieve.sample.early_notes import EarlyNotes
from spansieve.sample.late_spans import DecisionMemory
from spansieve.sample.plan import Plan, Tally
from spansieve.sample.policies import All, Not, Policy
from spansieve.sample.rates import Composite, RateLimiting


@runtime_checkable
class Stateful(Protocol):
    """What comes some way over time. `state` is of JSON's types, and `restore` takes it as JSON gives it back."""

    def state(self) -> Any:  # noqa: ANN401 - each has its own
        """How far it has come."""
        ...

    def restore(self, state: Any) -> None:  # noqa: ANN401 - each has its own
        """Go on from there."""
        ...


def pack(
    memory: DecisionMemory, plan: Plan, counts: Sequence[Counter[Tally]], shadows: Counter[str], early: EarlyNotes
) -> Iterator[bytes]:
    """Pieces of the state as it is now (see pieces.py)."""
    head = {
        "counts": [[[*tally, n] for tally, n in each.items()] for each in counts],
        "shadows": dict(shadows),
        "policies": {path: each.state() for path, each in _stateful(plan)},
    }
    parts = ([pieces.piece("head", orjson.dumps(head))], memory.state(), pieces.lines("early", early.state()))
    return (piece for part in parts for piece in part)


def unpack(
    saved: bytes,
    memory: DecisionMemory,
    plan: Plan,
    counts: Sequence[Counter[Tally]],
    shadows: Counter[str],
    early: EarlyNotes,
) -> None:
    """Take over a state. What a policy of another name or kind had come to is left. Raises ValueError for no state."""
    try:
        sections = pieces.sections(saved)
        head = orjson.loads(b"".join(sections["head"]))
        memory.restore(sections)
        tallies = [
            [(Tally(keep, policy, Trigger(trigger), Because(because)), n) for keep, policy, trigger, because, n in each]
            for each in head["counts"]
        ]
    except (ValueError, KeyError, IndexError, TypeError):
        raise ValueError("this is no state of a sampler") from None
    for counter, saved_counts in zip(counts, tallies, strict=True):
        counter.clear()
        counter.update(dict(saved_counts))
    shadows.clear()
    shadows.update(head["shadows"])
    early.restore(map(orjson.loads, sections.get("early", ())))
    for path, each in _stateful(plan):
        if path in head["policies"]:
            each.restore(head["policies"][path])


def hand_on(earlier: Plan, later: Plan) -> None:
    """Let the policies of a plan, and its budget, go on from where those of the same name and kind in another are."""
    come = dict(_stateful(earlier))
    for path, each in _stateful(later):
        if path in come:
            each.restore(come[path].state())


def _stateful(plan: Plan) -> Iterator[tuple[str, Stateful]]:
    for rule in plan.rules.every:
        yield from _within(rule.policy)
    if plan.budget is not None:
        yield "budget", plan.budget


def _within(policy: Policy) -> Iterator[tuple[str, Stateful]]:
    path = f"{type(policy).__name__} {policy.name}"
    match policy:
        case All():
            for part in policy.policies:
                yield from ((f"{path}/{below}", each) for below, each in _within(part))
        case Not():
            yield from ((f"{path}/{below}", each) for below, each in _within(policy.policy))
        case Composite():
            for number, share in enumerate(policy.shares):
                yield f"{path}/{number}", share.bucket
                yield from ((f"{path}/{below}", each) for below, each in _within(share.policy))
        case RateLimiting():
            yield path, policy.bucket
        case Stateful():
            yield path, policy
