"""What the texts of spans say, read once for all that carry the same."""

from itertools import permutations

import pytest

from spansieve.measure.llm_call import LlmCall, Suspect, ToolRun
from spansieve.measure.reading import Sender
from spansieve.measure.traits import _REMEMBERED
from unit.measure.helpers_measure import Value, chat, reader, record, span


@pytest.mark.parametrize(
    "alike",
    list(permutations([{"gen_ai.prompt.version": 1}, {"gen_ai.prompt.version": True}, {"gen_ai.prompt.version": 1.0}])),
)
def test_numbers_and_truth_values_are_not_mistaken(alike: tuple[dict[str, Value], ...]) -> None:
    """1, true and 1.0 are told apart, in whatever order they come, though Python takes them for the same key."""
    with_memory = reader()
    for more in alike:
        one = record(span(chat() | more))
        (found,) = with_memory.read(one, None, "s", Sender("shop"))
        (anew,) = reader().read(one, None, "s", Sender("shop"))
        assert found == anew


def test_a_doubtful_flag_is_suspect_each_time() -> None:
    """A streaming flag that is no truth value is suspect on every span that carries it."""
    with_memory = reader()
    for value, suspects in ((True, ()), (1.0, (Suspect.NOT_A_TRUTH_VALUE,)), (True, ()), (1, ())):
        (found,) = with_memory.read(record(span(chat(request__stream=value))), None, "s", Sender("shop"))
        assert isinstance(found, LlmCall)
        assert found.suspects == suspects


def test_the_same_texts_on_other_attributes_say_something_else() -> None:
    """What a text says depends on the attribute that it stands on."""
    with_memory = reader()
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "a", "gen_ai.tool.type": "b"}
    other = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "a", "gen_ai.agent.name": "b"}
    for attributes, tool_type, agent in ((tool, "b", ""), (other, "", "b")):
        (found,) = with_memory.read(record(span(attributes)), None, "s", Sender("shop"))
        assert isinstance(found, ToolRun)
        assert (found.name, found.tool_type, found.agent_name) == ("a", tool_type, agent)


def test_what_is_remembered_is_bounded() -> None:
    """Any number of models takes no more memory, and a very long name none at all."""
    with_memory = reader()
    for number in range(_REMEMBERED + 10):
        (found,) = with_memory.read(record(span(chat(request__model=f"m-{number}"))), None, "s", Sender("shop"))
        assert isinstance(found, LlmCall)
        assert found.request_model == f"m-{number}"
    held = with_memory._traits._remembered
    assert 0 < len(held) <= _REMEMBERED
    before = len(held)
    with_memory.read(record(span(chat(request__model="m" * 257))), None, "s", Sender("shop"))
    assert len(held) == before
