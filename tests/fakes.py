"""Stand-ins for the world around the gateway's core: time, and where telemetry goes. The rest is real in the tests."""

from collections.abc import Mapping, Sequence

from spansieve.export import QueueStatus
from spansieve.model import Receipt, SampledTrace, Signal
from spansieve.outcome import Ledger, Outcome, Reason


class ManualClock:
    """A Clock that stands still until it is told to go on."""

    def __init__(self, monotonic: float = 1000.0, wall_ns: int = 1_700_000_000_000_000_000) -> None:
        self._monotonic = monotonic
        self._wall_ns = wall_ns

    def monotonic(self) -> float:
        """Seconds."""
        return self._monotonic

    def wall_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._wall_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._wall_ns += int(seconds * 1e9)


class RecordingDestination:
    """A Destination that keeps what it is given and settles it as exported when it is told to."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.traces: list[SampledTrace] = []
        self.requests: list[tuple[Signal, bytes, int]] = []
        self.receipts: list[Receipt | None] = []  # of the requests
        self.own_metrics: list[bytes] = []
        self.held_bytes = 0
        self.consecutive_failures = 0
        self.defects = 0

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        """Hold traces."""
        self.traces += traces
        self.held_bytes += sum(trace.facts.size for trace in traces)

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:
        """Hold a request."""
        self.requests.append((signal, payload, items))
        self.receipts.append(receipt)
        self.held_bytes += len(payload)

    def submit_own_metrics(self, payload: bytes) -> None:
        """Keep the gateway's own metrics."""
        self.own_metrics.append(payload)

    def export_all(self) -> None:
        """Let everything held be accepted downstream."""
        for trace in self.traces:
            self._ledger.settle(Signal.TRACES, Outcome.EXPORTED, trace.facts.spans)
            if trace.receipt is not None:
                trace.receipt.settle(trace.facts.spans, 0, Reason.NONE)
        for (signal, _, items), receipt in zip(self.requests, self.receipts, strict=True):
            self._ledger.settle(signal, Outcome.EXPORTED, items)
            if receipt is not None:
                receipt.settle(items, 0, Reason.NONE)
        self.traces, self.requests, self.receipts, self.held_bytes = [], [], [], 0

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        """Nothing to drain."""

    def status(self) -> Mapping[Signal, QueueStatus]:
        """No queues."""
        return {}
