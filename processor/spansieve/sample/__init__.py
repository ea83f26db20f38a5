"""The stage that decides which traces are kept: split by trace, wait, decide, follow. Pure: time is an argument."""

from spansieve.sample.plan import Plan, Tally
from spansieve.sample.sampler import Decided, Sampler
from spansieve.sample.split import by_trace

__all__ = ["Decided", "Plan", "Sampler", "Tally", "by_trace"]
