"""The stage that decides which traces are kept: split by trace, wait, decide, follow. Pure: time is an argument."""

from spansieve.sample.sampler import Added, Decided, Sampler
from spansieve.sample.split import by_trace

__all__ = ["Added", "Decided", "Sampler", "by_trace"]
