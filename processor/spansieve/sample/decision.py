"""The verdict on a trace."""

from collections.abc import Iterable

from spansieve.model import Decision, TraceFacts, Trigger
from spansieve.sample.policies import Policy


def decide(trace_id: bytes, facts: TraceFacts, policies: Iterable[Policy], trigger: Trigger) -> Decision:
    """Keep the trace when any policy says so. The first that does is credited; the others are not asked."""
    for policy in policies:
        if policy.evaluate(trace_id, facts):
            return Decision(keep=True, policy=policy.name, trigger=trigger)
    return Decision(keep=False, policy="", trigger=trigger)
