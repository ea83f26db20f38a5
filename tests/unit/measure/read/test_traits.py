"""What the texts of spans say, read once for all that carry the same."""

from itertools import permutations

import pytest

from spansieve.measure.llm_call import LlmCall, Suspect, ToolRun
from spansieve.measure.read.reading import Emitter
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
        (found,) = with_memory.read(one, Emitter(None, "s", "shop"))
        (anew,) = reader().read(one, Emitter(None, "s", "shop"))
        assert found == anew


def test_a_doubtful_flag_is_suspect_each_time() -> None:
    """A streaming flag that is no truth value is suspect on every span that carries it."""
    with_memory = reader()
    for value, suspects in ((True, ()), (1.0, (Suspect.NOT_A_TRUTH_VALUE,)), (True, ()), (1, ())):
        (found,) = with_memory.read(record(span(chat(request__stream=value))), Emitter(None, "s", "shop"))
        assert isinstance(found, LlmCall)
        assert found.suspects == suspects


def test_the_same_texts_on_other_attributes_say_something_else() -> None:
    """What a text says depends on the attribute that it stands on."""
    with_memory = reader()
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "a", "gen_ai.tool.type": "b"}
    other = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "a", "gen_ai.agent.name": "b"}
    for attributes, tool_type, agent in ((tool, "b", ""), (other, "", "b")):
        (found,) = with_memory.read(record(span(attributes)), Emitter(None, "s", "shop"))
        assert isinstance(found, ToolRun)
        assert (found.name, found.tool_type, found.agent_name) == ("a", tool_type, agent)
