"""The gateway and what it is measured against: a module each, with its configuration beside it.

Gateway, Collector and Rotel each run in two ways: with the policy `default`, or as much of it as can be said
(patterns.py), and, as `…-twelve`, with the nine classes that twelve patterns of an operator would cover.

A peer that takes OTLP starts as a process of its own, gets the same load, and sends to the same sink. `LEAVES_OUT` of
each says which part of the gateway's job it does not do; the table repeats it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.processes import Child


class Unavailable(Exception):
    """A peer that cannot be had on this machine. The message says why, for the table."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run asks of a peer."""

    directory: Path
    sink: str
    decision_wait: float = 2.0
    baseline: float = 10
    """Percent of ordinary traces that are kept."""
    limit_mib: int = 2048
    durability: str = "memory"
    """What the gateway's OK promises: see storage.durability. The others promise memory."""


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that is ready. `http` is empty when it has no OTLP/HTTP."""

    child: Child
    grpc: str
    http: str
    books: Callable[[], dict[str, int]] | None = None
    """What it says of the spans that it took: received, exported, sampled_out and so on; None when it says nothing."""
    lag: Callable[[], dict[float, int]] | None = None
    """How late its event loop was, as a cumulative histogram: looks by their upper bound in s; None if it has none."""
    held: Callable[[], float] | None = None
    """Bytes of what waits for a decision, by its own account; None when it gives none."""
    reload: Callable[[Settings], None] | None = None
    """Have it go on with other settings; returns when it does."""


class Peer(Protocol):
    """Something of this package that takes OTLP, in one of its configurations."""

    NAME: str
    LEAVES_OUT: str
    DECIDES: bool
    """Whether traces wait for a decision."""

    def version(self) -> str:
        """As the table has it. Raises Unavailable."""
        ...

    def start(self, settings: Settings) -> AbstractContextManager[Running]:
        """Start it, and stop it at the end. Raises Unavailable or Failed."""
        ...
