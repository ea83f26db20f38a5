"""The stage that hands over what was kept: to an OTLP peer (`otlp`), or to an embedded store (`store`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spansieve.model import Receipt, SampledTrace, Signal


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What one queue of a destination holds, for the telemetry. Waiting and in flight together."""

    items: int
    bytes: int
    consecutive_failures: int  # attempts since the last one that the other side answered with OK
    refused_with: str = ""  # the gRPC code with which the other side takes nothing, whatever it is; else empty


class Destination(Protocol):
    """Where telemetry goes. What is submitted is owed an outcome in the ledger, and gets exactly one.

    The receipt of a trace or request is settled together with the ledger.

    All methods belong to the event loop's thread. Nothing is refused here: whoever admits requests looks at
    `held_bytes`.
    """

    @property
    def held_bytes(self) -> int:
        """Bytes of what waits and what is in flight."""
        ...

    @property
    def consecutive_failures(self) -> int:
        """Attempts that failed one after the other, of the signal that fares worst; 0 when all is well."""
        ...

    @property
    def defects(self) -> int:
        """Tasks that ended by a defect of ours; what they had in hand, and would have sent, waits for a restart."""
        ...

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        """Queue traces, or late spans of some. Never blocks, never fails."""
        ...

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:
        """Queue a serialized request of logs or metrics that holds `items` items. Never blocks, never fails."""
        ...

    def submit_own_metrics(self, payload: bytes) -> None:
        """Queue a serialized request of the gateway's own metrics, which are in no ledger.

        An older one that was not accepted yet is given up for it, so that they never pile up.
        """
        ...

    async def start(self) -> None:
        """Get ready to hand over. Raises ConfigError or StoreError when that cannot work."""
        ...

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        """Hand over what is left within `deadline` seconds, then drop the rest, which is logged as an error.

        What is `owed` is left as it is: the journal has it, and the next start goes on with it.
        """
        ...

    def status(self) -> Mapping[Signal, QueueStatus]:
        """The queues as they are now."""
        ...
