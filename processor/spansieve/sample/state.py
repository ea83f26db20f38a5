"""A sampler's state as bytes, and back: a line of JSON for what is small and named, ids as they are behind it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import orjson

from spansieve.model import Because, Decision, Trigger
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
) -> bytes:
    """Serialize the state."""
    decisions, *blobs = memory.state()
    head = {
        "decisions": [list(decision) for decision in decisions],
        "sizes": [len(blob) for blob in blobs],
        "counts": [[[*tally, n] for tally, n in each.items()] for each in counts],
        "shadows": dict(shadows),
        "policies": {path: each.state() for path, each in _stateful(plan)},
        "early": early.state(),
    }
    return b"".join((orjson.dumps(head), b"\n", *blobs))


def unpack(
    saved: bytes,
    memory: DecisionMemory,
    plan: Plan,
    counts: Sequence[Counter[Tally]],
    shadows: Counter[str],
    early: EarlyNotes,
) -> None:
    """Take over a state. What a policy of another name or kind had come to is left. Raises ValueError for no state."""
    line, _, rest = saved.partition(b"\n")
    try:
        head = orjson.loads(line)
        decisions = [
            Decision(keep, policy, Trigger(trigger), Because(because), threshold)
            for keep, policy, trigger, because, threshold in head["decisions"]
        ]
        first, second, third, fourth = head["sizes"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("this is no state of a sampler") from None
    if first + second + third + fourth != len(rest):
        raise ValueError("a state of a sampler that is cut off")
    ends = (first, first + second, first + second + third)
    memory.restore((decisions, rest[: ends[0]], rest[ends[0] : ends[1]], rest[ends[1] : ends[2]], rest[ends[2] :]))
    for counter, saved_counts in zip(counts, head["counts"], strict=True):
        counter.clear()
        for keep, policy, trigger, because, n in saved_counts:
            counter[Tally(keep, policy, Trigger(trigger), Because(because))] = n
    shadows.clear()
    shadows.update(head["shadows"])
    early.restore(head.get("early", ()))
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
