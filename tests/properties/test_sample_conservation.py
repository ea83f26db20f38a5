"""Whatever comes in whatever order: every span is kept, sampled out or held, and verdicts depend on nothing else."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.facts import LlmFacts
from spansieve.model import Trigger
from spansieve.sample import Decided, by_trace
from spansieve.sample.decision import Rule, Rules
from spansieve.sample.policies import AtLeast, Latency, Policy, Probabilistic, StatusCode
from spansieve.sample.probes import Probes
from unit.sample.helpers_sample import batch, part, plan, sampler, span, trace_id

POLICIES: tuple[Policy, ...] = (
    StatusCode("errors", frozenset({"ERROR"})),
    Latency("slow", 50, 90),
    Probabilistic("baseline", 25),
)

UNHAPPY = AtLeast("unhappy", "thumbs_down", 1)

# Ids on both sides of the 25 % threshold.
ids = st.sampled_from([trace_id(n) for n in (0, 1 << 54, 3 << 54, (1 << 56) - 1)])
spans = st.builds(
    lambda trace, number, status, start, length: span(
        trace, number, status=status, start_ms=start, end_ms=start + length
    ),
    ids,
    st.integers(1, 1000),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.integers(0, 40),
    st.integers(0, 60),
)


def verdicts(requests: list[list[list[Span]]]) -> dict[bytes, tuple[str, int]]:
    """The credited policy and the number of spans of each trace, when all requests come before the wait is over."""
    tail = sampler(plan(*POLICIES))
    for number, scopes in enumerate(requests):
        tail.add(by_trace(batch(*scopes), Probes()), now=float(number % 30))
    decided = tail.take_due(now=60.0, limit=10_000)
    assert tail.held_spans == tail.held_bytes == tail.held_traces == 0
    kept = {each.trace_id: (each.decision.policy, each.facts.spans) for each in decided.kept}
    return kept | {each: ("", count) for each, count in decided.sampled_out}


@given(st.data(), st.lists(spans, min_size=1, max_size=12, unique_by=lambda each: (each.trace_id, each.span_id)))
def test_any_order_and_any_batching_give_the_same_verdicts(data: st.DataObject, sent: list[Span]) -> None:
    """One request with all spans in order decides as any other way to send them."""
    shuffled = data.draw(st.permutations(sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    requests = [[shuffled[begin:end]] for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    split_scopes = [[request[0][:1], request[0][1:]] for request in requests]
    assert verdicts(split_scopes) == verdicts(requests) == verdicts([[sent]])


class Conservation(RuleBasedStateMachine):
    """Any history of a sampler, with small memories so that verdicts are forgotten, too."""

    def __init__(self) -> None:
        super().__init__()
        self.tail = sampler(plan(*POLICIES, UNHAPPY, late_error=3.0, largest_bytes=2000), 2)
        self.now = 0.0
        self.added = self.kept = self.sampled_out = self.repeated = 0

    def decided(self, decided: Decided) -> None:
        """Book what left the sampler; each trace that did is named in the verdicts."""
        self.kept += sum(len(group.spans) for trace in decided.kept for group in trace.groups)
        self.sampled_out += decided.sampled_out_spans
        named = [(each.trace_id, True) for each in decided.kept] + [(each, False) for each, _ in decided.sampled_out]
        assert sorted(named) == sorted((trace, decision.keep) for trace, decision in decided.verdicts)

    @rule(parts=st.lists(st.tuples(ids, st.integers(1, 5), st.booleans()), max_size=4))
    def add(self, parts: list[tuple[bytes, int, bool]]) -> None:
        """A request comes."""
        slices = {trace: part(trace, spans=count, errors=int(error)) for trace, count, error in parts}
        self.added += sum(each.facts.spans for each in slices.values())
        self.decided(self.tail.add(slices.values(), self.now))

    @rule(trace=ids, bad=st.booleans())
    def note(self, trace: bytes, *, bad: bool) -> None:
        """A log record tells of a trace, whether it is here or not."""
        self.decided(self.tail.note(trace, LlmFacts(thumbs_down=int(bad)), self.now))

    @rule(seconds=st.floats(0, 40), limit=st.integers(0, 3))
    def go_on(self, seconds: float, limit: int) -> None:
        """Time passes, and what is due is decided."""
        self.now += seconds
        self.decided(self.tail.take_due(self.now, limit))

    @rule(bytes_to_free=st.integers(0, 300))
    def run_short(self, bytes_to_free: int) -> None:
        """Memory is short."""
        self.decided(self.tail.evict(bytes_to_free, self.now))

    @rule(wait=st.sampled_from([1.0, 30.0, 100.0]))
    def reload(self, wait: float) -> None:
        """The operator changes the wait."""
        self.tail.reconfigure(plan(*POLICIES, UNHAPPY, decision=wait, late_error=wait / 10, after_root=wait / 2))

    @rule()
    def flush(self) -> None:
        """The process ends."""
        self.decided(self.tail.flush(Trigger.SHUTDOWN, self.now))

    @invariant()
    def nothing_is_lost(self) -> None:
        """Added = kept + sampled out + held, and the counters say the same."""
        assert self.added == self.kept + self.sampled_out + self.tail.held_spans
        assert sum(self.tail.decided_spans.values()) == self.kept + self.sampled_out

    @invariant()
    def what_is_held_weighs(self) -> None:
        """Bytes are held as long as traces are."""
        assert (self.tail.held_bytes > 0) == (self.tail.held_traces > 0) == (self.tail.next_due() is not None)


TestConservation = Conservation.TestCase


@given(st.binary(min_size=16, max_size=16), st.floats(0, 100), st.floats(0, 100))
def test_a_larger_share_holds_the_smaller_one(trace: bytes, one: float, other: float) -> None:
    """Consistent sampling: who keeps a trace at p keeps it at any greater p."""
    facts = part(trace).facts
    small, large = (
        Rules([Rule(Probabilistic("p", percentage))]).decide(trace, facts, Trigger.SHUTDOWN, 0.0).decision.keep
        for percentage in sorted((one, other))
    )
    assert not small or large
