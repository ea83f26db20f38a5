"""JSON text is walked and changed without being written anew."""

import json

import pytest

from spansieve.redact.text import jsontext
from unit.redact.helpers_redact import clean

_SPACED = '{ "b" : [1,  2.50, -0e3 ,true,null] ,\n\t"a": {"x":"é \\/ \\u00e9"},"big":12345678901234567890 }'


def test_what_no_rule_touches_stays_byte_for_byte() -> None:
    """Whitespace, numbers, escapes and the order of keys are the sender's."""
    assert clean(_SPACED) == _SPACED
    assert clean(_SPACED[:-1] + ', "m": "alice@example.com"}') == _SPACED[:-1] + ', "m": "[EMAIL]"}'


def test_tokens_have_the_nearest_key() -> None:
    """Elements of an array stand under the array's key, and a container gives its key back when it ends."""
    text = '{"a": ["x", {"b": "y"}, "z"], "c": 1}'
    assert [(t.text, t.key) for t in jsontext.tokens(text, "", whole=True) if t.kind != jsontext.KEY] == [
        ("x", "a"),
        ("y", "b"),
        ("z", "a"),
        ("1", "c"),
    ]


def test_numbers_are_told_of_whole_json_alone() -> None:
    """In what was cut off, the plain pass looks at them."""
    cut = '{"a": "x", "c": 1'
    assert [t.text for t in jsontext.tokens(cut, "")] == ["a", "x", "c"]
    assert [t.text for t in jsontext.tokens(cut + "}", "", whole=True)] == ["a", "x", "c", "1"]


@pytest.mark.parametrize("literal", ["\\x", "a\\", "\\u12", "\\\\\\q"])
def test_escapes_that_are_none_stay_as_they_are(literal: str) -> None:
    """A literal with one is taken as what stands there."""
    assert jsontext.decoded(literal) == (literal, False)


def test_what_has_no_key_of_its_own_has_that_of_the_text() -> None:
    """A top-level array stands under the attribute's key."""
    assert [(t.text, t.key) for t in jsontext.tokens('["x"]', "password")] == [("x", "password")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"alice\\u0040example.com"', '"[EMAIL]"'),
        ('["line\\nalice@example.com\\ttab"]', '["line\\n[EMAIL]\\ttab"]'),
        ('["\\"alice@example.com\\""]', '["\\"[EMAIL]\\""]'),
        ('["é alice@example.com"]', '["é [EMAIL]"]'),
        ('["\\u00e9 alice@example.com"]', '["\\u00e9 [EMAIL]"]'),
        ('{"alice@example.com": "k"}', '{"[EMAIL]": "k"}'),
        ('{"a": "{\\"b\\": \\"alice@example.com\\"}"}', '{"a": "{\\"b\\": \\"[EMAIL]\\"}"}'),
        ("[4111111111111111, 1]", '["[CARD]", 1]'),
        ('{"pass\\u0077ord": "x"}', '{"pass\\u0077ord": "[SECRET]"}'),
        ('{"password": true, "pwd": null, "secret": 1}', '{"password": true, "pwd": null, "secret": "[SECRET]"}'),
        ('{"password": {"note": "x", "pwd": "1"}}', '{"password": {"note": "x", "pwd": "[SECRET]"}}'),
    ],
)
def test_a_changed_literal_is_encoded_again(before: str, after: str) -> None:
    """Only literals that changed are written, with the escapes that were in use."""
    assert clean(before) == after
    json.loads(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": "alice@example.com", "b": "cut o', '{"a": "[EMAIL]", "b": "cut o'),
        ('{"a": "to alice@example.com', '{"a": "to [EMAIL]'),
        ('{"a": "alice\\u0040example.com\\u00', '{"a": "[EMAIL]\\u00'),
        ('{"a": "alice@example.com\\', '{"a": "[EMAIL]\\'),
        ('{"password": "hun', '{"password": "[SECRET]'),
        ('{"a": "{\\"password\\": \\"hun', '{"a": "{\\"password\\": \\"[SECRET]'),
        ('{"ssn": 219099999, "b', '{"ssn": "[US_SSN]", "b'),
    ],
)
def test_json_that_was_cut_off_is_walked_too(before: str, after: str) -> None:
    """SDKs truncate attributes in the middle of a literal, an escape or a number."""
    assert clean(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[INFO] mail to alice@example.com sent", "[INFO] mail to [EMAIL] sent"),
        ('data: {"m": "alice\\u0040example.com"}\n\ndata: [DONE]', 'data: {"m": "[EMAIL]"}\n\ndata: [DONE]'),
        ('{"a": "alice@example.com"}\n{"a": "bob@example.com"}', '{"a": "[EMAIL]"}\n{"a": "[EMAIL]"}'),
        ("{'user': 'alice@example.com', 'password': 'x'}", "{'user': '[EMAIL]', 'password': '[SECRET]'}"),
        ('Result: {"password": "x"} done', 'Result: {"password": "[SECRET]"} done'),
        ('{"a": "\\x alice@example.com"}', '{"a": "\\x [EMAIL]"}'),
    ],
)
def test_text_that_only_holds_some_json_is_clean_all_over(before: str, after: str) -> None:
    """What stands outside of literals is plain text, and what stands inside is decoded."""
    assert clean(before) == after


@pytest.mark.parametrize("text", ["", " ", "null", "12", '"x"', "[]", "{}", "[NaN]", '["\\ud800"]'])
def test_what_a_parser_takes_parses(text: str) -> None:
    """Also what only some parsers take: it must still parse afterwards."""
    assert jsontext.parses(text) is bool(text.strip())


@pytest.mark.parametrize("text", ["{", "[1,]", "{'a': 1}", "[" * 100_000, "word"])
def test_what_no_parser_takes_does_not_parse(text: str) -> None:
    """Depth beyond what parsers take is an answer, not an error."""
    assert not jsontext.parses(text)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1', "{'a': 1}", 'said "x" :', '["a", "b"', '[ \\"a', '"--token"', '"a\\nb"', '"a\\u0040b"', '"C:\\\\x"'],
)
def test_text_with_keys_lists_options_or_escapes_is_taken_apart(text: str) -> None:
    """Something in it may say more than it does as it stands."""
    assert jsontext.tells(text)


@pytest.mark.parametrize("text", ['he said "no"', '\\"I\\\'m\\", he said', "{x}", "at 12:30", "a - b", "O'Neil: x"])
def test_prose_with_quotes_is_not_taken_apart(text: str) -> None:
    """Quoted words say as they stand all that they say."""
    assert not jsontext.tells(text)


@pytest.mark.parametrize(
    "text", ['Pat said \\"go\\"\n{x} and "no"\nmail bob@example.com', 'he\n\\"said\\" so:\n"a\nb" to bob@example.com']
)
def test_line_ends_of_prose_with_quotes_stay(text: str) -> None:
    """A quote too many does not make JSON of what follows, in which a line end would be an escape."""
    assert clean(text) == text.replace("bob@example.com", "[EMAIL]")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('note: {"a": "line\nto bob@example.com"} x', 'note: {"a": "line\nto [EMAIL]"} x'),
        ('note: {"a": "1\r\nbob@example.com\\n2"} x', 'note: {"a": "1\r\n[EMAIL]\n2"} x'),
        ('note: {"a": "line\\nto bob@example.com"} x', 'note: {"a": "line\\nto [EMAIL]"} x'),
    ],
)
def test_a_string_with_line_ends_keeps_them(before: str, after: str) -> None:
    """No JSON has any but in escapes: then it is something else, and looks as it did."""
    assert clean(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"n": 4111111111111111}\n{"t": 1716239022}\n', '{"n": "[CARD]"}\n{"t": 1716239022}\n'),
        ('{"delta": "4111 1111 "}\n{"delta": "1111 1111"}', '{"delta": "[CARD]"}\n{"delta": ""}'),
        ('["bob@example.com", ",\\n{"]\n{}', '["[EMAIL]", ",\\n{"]\n{}'),
        ('{"a": "bob@example.com"}\r\n{}\r\n', '{"a": "[EMAIL]"}\r\n{}\r\n'),
    ],
)
def test_lines_of_json_are_read_as_a_list(before: str, after: str) -> None:
    """Numbers in them are told by their keys, and each line stays one."""
    assert clean(before) == after


@pytest.mark.parametrize("text", ["{}", "{}\n", "{}\n\n{}", "{}\n1", "{}\n{", "{},\n{}"])
def test_other_lines_are_no_list(text: str) -> None:
    """They are read as a text that holds some JSON."""
    assert jsontext.lines_listed(text) is None
