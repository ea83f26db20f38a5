"""How spans with the same marks are read, worked out once for all of them."""

from spansieve.measure.llm_call import LlmCall, ToolRun
from spansieve.measure.read.plans import _REMEMBERED
from spansieve.measure.read.reading import Emitter
from unit.measure.helpers_measure import chat, reader, record, span


def test_what_is_remembered_is_bounded() -> None:
    """Any number of models takes no more memory, and a very long name none at all."""
    with_memory = reader()
    emitter = Emitter(None, "s", "shop")
    for number in range(_REMEMBERED + 10):
        (found,) = with_memory.read(record(span(chat(request__model=f"m-{number}"))), emitter)
        assert isinstance(found, LlmCall)
        assert found.kind.request_model == f"m-{number}"
    held = len(with_memory._plans)
    assert 0 < held <= _REMEMBERED
    with_memory.read(record(span(chat(request__model="m" * 5000))), emitter)
    assert len(with_memory._plans) == held


def test_names_of_spans_are_remembered_boundedly() -> None:
    """Where a span's name may say what it is, any number of names takes no more memory."""
    with_memory = reader()
    vllm = with_memory.by_scope("traceloop.tracer")
    assert vllm is not None
    for number in range(_REMEMBERED + 10):
        one = record(span({"traceloop.span.kind": "tool"}, name=f"tool-{number}"))
        (found,) = with_memory.read(one, Emitter(vllm, "traceloop.tracer", "shop"))
        assert isinstance(found, ToolRun)
        assert found.name == f"tool-{number}"
    assert 0 < len(with_memory._plans) <= _REMEMBERED


def test_ids_and_numbers_need_no_plan_of_their_own() -> None:
    """Calls that differ in tokens, conversation and answer alone share a plan."""
    with_memory = reader()
    for number in range(1, 100):
        given = chat(usage__input_tokens=number, conversation__id=f"c-{number}", response__id=f"r-{number}")
        (found,) = with_memory.read(record(span(given)), Emitter(None, "s", "shop"))
        assert isinstance(found, LlmCall)
        assert (found.tokens.input, found.conversation, found.response_id) == (number, f"c-{number}", f"r-{number}")
    assert len(with_memory._plans) == 1


def test_the_last_of_two_attributes_with_one_key_counts() -> None:
    """A key that stands twice on a span is read as protobuf's maps are."""
    with_memory = reader()
    one = span(chat(usage__input_tokens=1))
    one.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 2
    one.attributes.add(key="gen_ai.request.model").value.string_value = "other"
    (found,) = with_memory.read(record(one), Emitter(None, "s", "shop"))
    assert isinstance(found, LlmCall)
    assert (found.tokens.input, found.kind.request_model) == (2, "other")
