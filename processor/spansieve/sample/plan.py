"""What a sampler works by, and what it counts by."""

from dataclasses import dataclass
from typing import NamedTuple

from spansieve.model import Because, Trigger
from spansieve.sample.budget import Budget
from spansieve.sample.buffer import Waits
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rules


class Tally(NamedTuple):
    """What verdicts are counted by."""

    keep: bool
    policy: str
    trigger: Trigger
    because: Because


@dataclass(frozen=True, slots=True)
class Plan:
    """What a configuration says of sampling, ready to use; `conversations` are those among the rules' policies."""

    rules: Rules
    waits: Waits
    budget: Budget | None = None
    conversations: tuple[Conversation, ...] = ()
