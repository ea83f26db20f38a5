"""The stages of a gateway over a journal on a fake disk: started, stopped as by kill -9, and started again."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fakes import ManualClock, RecordingDestination
from fakes_disk import FakeDisk
from spansieve import journal_start, sampling_plan
from spansieve.clock import ResumedClock
from spansieve.config_sampling import Sampling
from spansieve.journal.keys import Keyring
from spansieve.journal.reading import Findings
from spansieve.measure import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.model import Answer, Encoding, ReceivedRequest, Signal
from spansieve.outbox import Outbox
from spansieve.outcome import Ledger, Outcome
from spansieve.pipeline import Pipeline
from spansieve.redact import CompiledRules, policy
from spansieve.redaction_thread import RedactionThread
from spansieve.replay import Replay, revive
from spansieve.sample import Sampler
from spansieve.sample.probes import Probes

KEY = bytes(range(32))
RING = Keyring([KEY])


@cache
def rules() -> CompiledRules:
    """The default policy, compiled once."""
    return policy.compile(policy.parse(policy.shipped("default")))


@dataclass
class Heard:
    """A log, and an observer that listens to nothing."""

    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **values: object) -> None:
        """Note."""
        self.lines.append((event, values))

    warning = error = info

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Do nothing."""

    def count_findings(self, rule: str, values: int) -> None:
        """Do nothing."""

    def note_verdicts(self, verdicts: object) -> None:
        """Do nothing."""


class Process:
    """One life of a gateway. `destination` holds what it would export; the clock may be shared by several lives."""

    def __init__(
        self,
        clock: ManualClock,
        sampling: dict[str, Any],
        limit_bytes: int = 1 << 24,
        most_held: int = 1 << 22,
        ring: Keyring = RING,
    ) -> None:
        self._ring = ring
        self.clock = ResumedClock(clock)
        self.ledger = Ledger()
        self.destination = RecordingDestination(self.ledger)
        self.meter = Meter(PriceTable(()))
        probes = Probes()
        self.sampler = Sampler(sampling_plan.plan(Sampling.model_validate(sampling), probes), 1000, 1000, probes)
        self.thread = RedactionThread(clock)
        self.heard = Heard()
        self.pipeline = Pipeline(
            rules=rules(),
            meter=self.meter,
            sampler=self.sampler,
            destination=self.destination,
            thread=self.thread,
            ledger=self.ledger,
            clock=self.clock,
            limit_bytes=limit_bytes,
            observer=self.heard,
        )
        self.outbox = Outbox(self.destination, self.ledger, self.heard, revive, most_held)
        self.findings = Findings()

    async def start(self, disk: FakeDisk, max_bytes: int = 1 << 22) -> "Process":
        """Take up what the disk holds."""
        replay = Replay(self.meter, self.sampler, self.ledger)
        stages = journal_start.Stages(self.clock, self.pipeline, self.outbox, replay, self.state)
        terms = journal_start.Terms(sync=True, max_bytes=max_bytes)
        _, self.findings = await journal_start.take_up(disk, self._ring, stages, terms, self.heard)
        return self

    def state(self) -> dict[str, Iterable[bytes]]:
        """What a checkpoint holds."""
        return {**self.pipeline.state(), "started_ns": [b"1"]}

    async def send(self, message: ExportTraceServiceRequest) -> Answer:
        """One request of spans."""
        return await self.accept(Signal.TRACES, message.SerializeToString())

    async def accept(self, signal: Signal, body: bytes) -> Answer:
        """One request."""
        return await self.pipeline.accept(ReceivedRequest(signal, Encoding.PROTO, body))

    def export(self) -> list[bytes]:
        """Let all that is held be accepted downstream; the span ids."""
        spans = [span for trace in self.destination.traces for group in trace.groups for span in group.spans]
        self.destination.export_all()
        return spans

    def decide(self) -> None:
        """Decide all that is due."""
        while self.pipeline.decide_due():
            pass

    async def end(self) -> None:
        """Let threads go; what this still writes concerns no disk that is looked at."""
        assert self.pipeline.journal is not None
        await self.outbox.stop()
        await self.thread.stop()
        await self.pipeline.journal.stop(self.sampler.oldest_position)

    def books(self) -> dict[str, int]:
        """The ledger's traces, without zeroes."""
        lines = {outcome.value: self.ledger.settled(Signal.TRACES, outcome) for outcome in Outcome}
        lines |= {"received": self.ledger.received(Signal.TRACES), "in_flight": self.ledger.in_flight(Signal.TRACES)}
        return {name: items for name, items in lines.items() if items}


def chance(seed: int) -> random.Random:
    """Seeded."""
    return random.Random(seed)
