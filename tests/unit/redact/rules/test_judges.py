"""What stands around a candidate decides whether it counts."""

import pytest

from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    "text",
    [
        "see [PHONE], then 4155552671",
        "[US_SSN] and 219099999",
        "4155552671 is not [PHONE]",
        "[BANK_ACCOUNT] 000123456789",
    ],
)
def test_a_typed_token_is_no_word_of_context(text: str) -> None:
    """What was put in for one value does not turn the numbers beside it into values."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("phone [PHONE] or 4155552671", "phone [PHONE] or [PHONE]"),
        ("[phone] 4155552671", "[phone] [PHONE]"),
        ("[PHONE: 4155552671]", "[PHONE: [PHONE]]"),
    ],
)
def test_a_word_beside_a_token_still_counts(text: str, becomes: str) -> None:
    """Only the token itself says nothing, not what people write in brackets."""
    assert clean(text) == becomes


def test_the_call_of_a_tool_is_none_by_telephone() -> None:
    """Under the key of a tool's result, numbers in groups stay; a word in the text itself counts."""
    key = "gen_ai.tool.call.result"
    assert clean("rows 4411 33210", key) == "rows 4411 33210"
    assert clean("please call 4411 33210", key) == "please call [PHONE]"
