import json
from collections import Counter
from itertools import pairwise

import pytest
from bench.traffic import KINDS, LAPS, regrouped, requests, tag
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from unit.bench.helpers_bench import all_spans, recording, spans_of

KIND_NAMES = list(KINDS)


def _texts(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value for each in span.attributes}


def _contents(texts: dict[str, str]) -> list[str]:
    """What is said in the messages of a call, and the ids of a span without any."""
    messages = [m for key, text in texts.items() if key.endswith(".messages") for m in json.loads(text)]
    return [part["content"] for m in messages for part in m["parts"]] or [
        text for key, text in texts.items() if key == "app.request.id"
    ]


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_recording_can_be_made_again(kind: str) -> None:
    """The generator is seeded: two runs give the same bytes."""
    first, second = (next(iter(requests(kind, 8)))[0].SerializeToString() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_lap_changes_its_letters_and_nothing_else(kind: str) -> None:
    """Replay replaces four letters at a time; the part of a trace id that samplers look at, and all else, stay."""
    found = recording(kind)
    first, second = found.body(0, 1), found.body(0, 2)
    assert first != second
    assert first.replace(tag(1), tag(2)) == second
    assert {span.trace_id[:4] for span in spans_of(first)} == {tag(1)}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_no_lap_repeats_the_text_of_another(kind: str) -> None:
    """Every text long enough to be worth remembering is new in each lap, so that no peer gains by remembering it."""
    found = recording(kind)
    first, second = (
        {
            content
            for index in range(len(found.pieces))
            for span in spans_of(found.body(index, lap))
            for content in _contents(_texts(span))
        }
        for lap in (1, 2)
    )
    assert first.isdisjoint(second)


def test_laps_have_letters_of_their_own() -> None:
    """No two laps have the same letters, up to LAPS."""
    assert len({tag(lap) for lap in range(LAPS)}) == LAPS


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_what_is_planted_stands_in_its_span(kind: str) -> None:
    """Each value recorded for a span is found in that span's bytes."""
    values = recording(kind).values
    spans = {span.span_id: span.SerializeToString() for span in all_spans(kind)}
    assert any(value.personal for found in values.values() for value in found)
    for span_id, found in values.items():
        assert all(needle.encode() in spans[span_id] for value in found for needle in value.needles)


@pytest.mark.parametrize("kind", ["chat", "small"])
def test_chat_traces_have_five_spans_and_one_root(kind: str) -> None:
    """Server, agent, LLM call, tool and retrieval."""
    spans = all_spans(kind)
    assert set(Counter(span.trace_id for span in spans).values()) == {5}
    assert sum(not span.parent_span_id for span in spans) * 5 == len(spans)


def test_chat_calls_carry_two_kilobytes_in_and_half_a_kilobyte_out() -> None:
    """The sizes of a chat call's messages, on average, within a fifth."""
    calls = [found for span in all_spans("chat", 400) if (found := _texts(span)).get("gen_ai.input.messages")]
    incoming = sum(len(json.loads(c["gen_ai.input.messages"])[1]["parts"][0]["content"]) for c in calls) / len(calls)
    outgoing = sum(len(c["gen_ai.output.messages"]) for c in calls) / len(calls)
    assert 1600 < incoming < 2200
    assert 500 < outgoing < 750


def test_long_calls_carry_32_kilobytes() -> None:
    """A long call's messages are 32 KB on average, within a tenth."""
    sizes = [sum(len(text) for text in _texts(span).values()) for span in all_spans("long")]
    assert 29_000 < sum(sizes) / len(sizes) < 36_000


def test_turns_resend_their_history() -> None:
    """The messages of a turn begin with those of the turn before, in 20 turns a conversation."""
    conversations: dict[str, list[list[object]]] = {}
    for span in sorted(all_spans("turns", 8), key=lambda span: span.start_time_unix_nano):
        texts = _texts(span)
        conversations.setdefault(texts["gen_ai.conversation.id"], []).append(json.loads(texts["gen_ai.input.messages"]))
    for turns in conversations.values():
        assert len(turns) == 20
        assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(turns))


def test_any_part_of_the_turns_is_like_the_whole() -> None:
    """Requests with short and with long histories are mixed, so that a peer that gets less far is measured alike."""
    found = recording("turns", 150)
    sizes = [len(found.body(index, 1)) / found.spans[index] for index in range(len(found.pieces))]
    third = sizes[: len(sizes) // 3]
    assert 0.8 < (sum(third) / len(third)) / (sum(sizes) / len(sizes)) < 1.25


def test_plain_spans_have_twenty_short_attributes() -> None:
    """No content: the longest value is an API key."""
    for span in all_spans("plain"):
        assert len(span.attributes) == 20
        assert all(len(text) < 250 for text in _texts(span).values())


def test_small_requests_hold_one_trace() -> None:
    """A quiet service sends one trace at a time."""
    found = recording("small")
    for index in range(len(found.pieces)):
        assert len({span.trace_id for span in spans_of(found.body(index, 1))}) == 1


def test_requests_hold_512_spans_at_most() -> None:
    """As a batch processor's export does by default."""
    assert max(recording("plain", 2000).spans) == 512


@pytest.mark.parametrize("size", [5, 50])
def test_spans_are_packed_into_requests_of_a_size(size: int) -> None:
    """All spans are there, each once and as they were, under their process's resource; only the last ones are fewer."""
    found = recording("chat")
    packed = regrouped(found, size)
    before = sorted(
        span.SerializeToString() for index in range(len(found.pieces)) for span in spans_of(found.body(index, 3))
    )
    after = [spans_of(packed.body(index, 3)) for index in range(len(packed.pieces))]
    assert sorted(span.SerializeToString() for spans in after for span in spans) == before
    assert [len(spans) for spans in after] == packed.spans
    assert sum(count < size for count in packed.spans) <= 4
    assert max(packed.spans) == size


def test_packing_keeps_a_process_and_its_scopes_apart() -> None:
    """A request has one resource, and each scope once."""
    packed = regrouped(recording("chat"), 25)
    for index in range(len(packed.pieces)):
        (resource,) = ExportTraceServiceRequest.FromString(packed.body(index, 1)).resource_spans
        scopes = [scope.scope.name for scope in resource.scope_spans]
        assert len(set(scopes)) == len(scopes)
        assert resource.resource.attributes


def test_traces_interleave_in_requests() -> None:
    """The spans of a trace do not all stand together."""
    found = recording("chat", 400)
    in_order = [span.trace_id for span in sorted(spans_of(found.body(0, 1)), key=lambda s: s.end_time_unix_nano)]
    changes = sum(one != other for one, other in pairwise(in_order))
    assert changes > len(set(in_order))


def test_two_calls_in_a_hundred_fail() -> None:
    """The share of failed calls is 2 %, within the chance of a small recording."""
    calls = [span for span in all_spans("chat", 2000) if span.name.startswith("chat ")]
    failed = sum(span.status.code == Status.STATUS_CODE_ERROR for span in calls)
    assert 0.01 < failed / len(calls) < 0.03


def test_durations_have_a_tail() -> None:
    """About 2 % of chat traces take five seconds or more, as the `slow` policy needs them."""
    roots = [span for span in all_spans("chat", 2000) if not span.parent_span_id]
    slow = sum(span.end_time_unix_nano - span.start_time_unix_nano >= 5_000_000_000 for span in roots)
    assert 0.01 < slow / len(roots) < 0.05
