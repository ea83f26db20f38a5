"""The meter: counted once, settled in time, exemplars of kept traces, saved and restored."""

import json
from typing import Any

import pytest

from spansieve.catalogue import Semconv
from spansieve.measure import Meter
from spansieve.measure.llm_call import NO_TOKENS, Observation, Tokens
from spansieve.measure.pricing import PriceTable, TableVersion
from spansieve.measure.settings import MeterSettings, OwnLabel
from spansieve.pieces import piece, sections
from unit.measure.helpers_measure import chat, measured, prices, request, series, span
from unit.measure.helpers_observations import call, origin, priced, values


def _take(meter: Meter, *observations: Observation, now: float = 0) -> int:
    return meter.take([(each,) for each in observations], (), now)


def _meter(**settings: float) -> Meter:
    return Meter(PriceTable(()), MeterSettings(**settings))  # type: ignore[arg-type]  # numbers for numbers


def test_a_call_counts_once() -> None:
    """A span that is told again adds nothing to calls, tokens or cost."""
    meter, one = _meter(), priced(10, 5, 0.5)
    assert _take(meter, one) == 1
    before = values(meter.series, "spansieve.llm.cost.usd"), values(meter.series, "spansieve.llm.tokens")
    assert _take(meter, one) == 0
    assert (values(meter.series, "spansieve.llm.cost.usd"), values(meter.series, "spansieve.llm.tokens")) == before
    assert values(meter.series, "spansieve.llm.not_counted") == {("repeated_span",): 1}


def test_the_price_table_is_told() -> None:
    """An info metric names the price table's version."""
    meter = Meter(PriceTable((), TableVersion("1.2", "2026-01-01", "abc")))
    assert values(meter.series, "spansieve.llm.prices.info") == {("1.2", "2026-01-01", "abc"): 1}


def test_prices_that_are_taken_over_hold_from_the_next_call_on() -> None:
    """Calls of a model that was met before are priced by the new table, too."""
    meter = Meter(PriceTable(()))
    for usage in (10, 20):
        measured(request([span(chat(usage__input_tokens=usage))]), meter)
        meter.take_over_prices(prices())
    assert sum(series(meter, "spansieve.llm.unpriced_tokens").values()) == 10  # type: ignore[arg-type]  # numbers
    assert sum(series(meter, "spansieve.llm.cost.usd").values()) == pytest.approx(20e-6)  # type: ignore[arg-type]


def test_conversations_end_with_time() -> None:
    """A conversation is active until it was idle for so long; then its depth is known."""
    meter = _meter(conversation_idle_s=60)
    for trace_id, now in ((b"a" * 16, 0), (b"b" * 16, 30)):
        _take(meter, priced(1, 1, 0.5, origin(trace_id=trace_id))._replace(conversation="c"), now=now)
    meter.settle(31)
    assert values(meter.series, "spansieve.llm.active_conversations") == {(): 1}
    assert values(meter.series, "spansieve.llm.conversation.depth") == {}
    meter.settle(90)
    assert values(meter.series, "spansieve.llm.active_conversations") == {(): 0}
    assert values(meter.series, "spansieve.llm.conversation.depth") == {("shop",): (1, 2)}


@pytest.mark.parametrize(("late", "found"), [(89, 1), (90, 0)])
def test_exemplars_wait_for_the_verdict(late: float, found: int) -> None:
    """A value is an exemplar once its trace is kept, unless that takes longer than a decision may."""
    meter, one = _meter(exemplar_patience_s=90), priced(1, 1, 0.5)
    _take(meter, one)
    meter.settle(late)
    meter.kept(one.origin.trace_id)
    [duration] = [each for each in meter.series.snapshot() if each.spec.name == "gen_ai.client.operation.duration"]
    assert len(duration.value.exemplars) == found  # type: ignore[union-attr]  # it is a histogram


def _some_traffic(meter: Meter, begin: int) -> None:
    for n in range(begin, begin + 20):
        at = origin(trace_id=bytes(15) + bytes([n]), span_id=bytes(7) + bytes([n]), adjusted_count=1 + n / 7)
        tokens = Tokens(n, n, None, None, None) if n % 3 else NO_TOKENS  # what tells no tokens waits
        one = call(at, conversation=f"c{n % 4}", request_model=f"m{n}", duration_s=0.1 * n, tokens=tokens)
        _take(meter, one, one, now=n)
        if n % 2:
            meter.kept(at.trace_id)


def _state(meter: Meter) -> dict[str, Any]:
    """Return the state but for what was counted once, which is no JSON."""
    parts = sections(b"".join(meter.state()))
    return {name: [*map(json.loads, parts.get(name, ()))] for name in ("recorder", "conversations", "candidates")}


def test_a_restored_meter_goes_on_as_if_nothing_had_been() -> None:
    """Saved in the middle and restored, a meter ends in the same state to the last bit as one that ran through."""
    through, before, after = (_meter(label_limit=10, conversation_idle_s=15) for _ in range(3))
    for meter in (through, before):
        _some_traffic(meter, 0)
    after.restore(b"".join(before.state()))
    for meter in (through, after):
        _some_traffic(meter, 20)
        meter.settle(100)
    assert after.series.snapshot() == through.series.snapshot()
    assert after.overflow() == through.overflow()
    assert _state(after) == _state(through)


def test_another_configuration_takes_over_what_still_means_the_same() -> None:
    """With other labels or another generation of the conventions, what has changed its meaning begins anew."""
    old = _meter()
    _some_traffic(old, 0)
    new = Meter(PriceTable(()), MeterSettings(semconv=Semconv.LATEST, own_labels=(OwnLabel("task", "llm.task"),)))
    new.restore(b"".join(old.state()))
    assert values(new.series, "spansieve.llm.requests") == {}
    assert values(new.series, "spansieve.llm.dialects") == values(old.series, "spansieve.llm.dialects") != {}
    new.settle(200)
    waited = values(new.series, "spansieve.llm.requests")
    assert {labels[-2] for labels in waited} == {""}
    _take(new, priced(1, 1, 0.5, origin(extra=("chat",))), now=200)
    assert values(new.series, "spansieve.llm.requests").keys() - waited.keys() == {
        ("chat", "openai", "gpt-4o", "", "shop", "", "", "chat", "ok")
    }


def test_a_state_of_another_format_is_refused() -> None:
    """What is no state of a meter is refused, and not taken for an empty one."""
    with pytest.raises(ValueError, match="of another format"):
        _meter().restore(piece("format", b"0"))


def test_a_restored_meter_shows_its_own_prices() -> None:
    """The price table in force is told after a restart with a new one, and the old one no more."""
    old, new = Meter(PriceTable((), TableVersion("1"))), Meter(PriceTable((), TableVersion("2")))
    new.restore(b"".join(old.state()))
    assert values(new.series, "spansieve.llm.prices.info") == {("2", "", ""): 1}
