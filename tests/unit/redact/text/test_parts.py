"""Which texts may be continued by others."""

import pytest

from spansieve.redact.text import parts


@pytest.mark.parametrize(
    ("key", "common"),
    [
        (
            "llm.input_messages.0.message.contents.1.message_content.text",
            "llm.input_messages.0.message.contents.*.message_content.text",
        ),
        ("gen_ai.input.messages.3.parts.12.content", "gen_ai.input.messages.3.parts.*.content"),
        ("a.content.0.text", "a.content.*.text"),
        ("a.contents.0.b.contents.1.text", "a.contents.0.b.contents.*.text"),
    ],
)
def test_keys_of_parts_have_all_but_their_number_in_common(key: str, common: str) -> None:
    """The last list of parts counts."""
    assert parts.flattened(key) == common


@pytest.mark.parametrize(
    "key",
    [
        "llm.input_messages.0.message.content",
        "llm.input_messages.0.message.contents.1.message_content.type",
        "contents.1.text",
        "a.contents.x.text",
        "a.contents.1",
        "gen_ai.usage.input_tokens",
        "",
    ],
)
def test_other_keys_are_of_no_part(key: str) -> None:
    """Whole messages, what says no text, and lists of other things."""
    assert parts.flattened(key) == ""
