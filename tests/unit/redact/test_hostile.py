"""Inputs made to cost much, nest deep or break decoders: each completes, and nothing raw passes."""

import base64
import json
import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.rules import anchors
from spansieve.redact.text import jsontext
from unit.redact.helpers_redact import clean, default_policy, default_rules, found, luhn_complete, run

_CARD = luhn_complete("411111111111111")
_SIZE = 64 * 1024

_FLOODS = {
    "dots": "." * 4000,
    "dotted digits": "1.2.3.4." * 500,
    "dotted letters": "a.a.a." * 700,
    "hyphens": "-a" * 4000,
    "UUIDs": "123e4567-e89b-12d3-a456-426614174000 " * (_SIZE // 37),
    "numbers in base64": "aGVsbG8gdGhlcmUgd29ybGQsIGFsbCBmaW5l " * (_SIZE // 37),
    "words in hexadecimal": "41424344454647484950 " * (_SIZE // 21),
    "machines": "machine a login b password " * (_SIZE // 27),
    "at signs": "@" * _SIZE,
    "mail locals": "a@" * (_SIZE // 2),
    "one long local": "a" * _SIZE + "@",
    "many long locals": ("a" * 200 + "@") * 300,
    "domains": "@" + "a." * (_SIZE // 2),
    "colons": ":" * _SIZE,
    "hex groups": "ab:" * (_SIZE // 3),
    "quotes": '"' * _SIZE,
    "backslashes": "\\" * _SIZE,
    "escaped quotes": '\\"' * (_SIZE // 2),
    "unicode escapes": '"' + "\\u0061" * (_SIZE // 6),
    "open brackets": "[" * _SIZE,
    "open objects": '{"a":' * (_SIZE // 5),
    "passwords": "password" * (_SIZE // 8),
    "assignments": "password=" * (_SIZE // 9),
    "schemes": "://" * (_SIZE // 3),
    "credentials": "://a:" * (_SIZE // 5) + "@",
    "jwt heads": "eyJ" * (_SIZE // 3),
    "pem heads": "-----BEGIN PRIVATE KEY-----" * (_SIZE // 27),
    "key prefixes": "sk-" * (_SIZE // 3),
    "bearer": "bearer " * (_SIZE // 7),
    "cookies": "cookie: " * (_SIZE // 8),
    "plus signs": "+1" * (_SIZE // 2),
    "one word": "a" * (1 << 20),
    "one word of digits": "1" * (1 << 20),
    "words": "lorem ipsum dolor " * (1 << 16),
}


@pytest.mark.parametrize("text", _FLOODS.values(), ids=_FLOODS)
def test_a_flood_completes(text: str) -> None:
    """Time is linear in the text: no flood comes near the time limit of a test."""
    clean(text)
    clean(text + " alice@example.com")


@pytest.mark.parametrize("text", [*_FLOODS.values()][:28], ids=[*_FLOODS][:28])
def test_a_flood_hides_nothing(text: str) -> None:
    """A value behind a flood is found, or the whole is removed."""
    assert _CARD not in clean(f"{text} {_CARD} {text}")


def test_words_that_many_patterns_begin_with_count_to_the_budget() -> None:
    """A flood of such words is removed whole before it costs much, and a page that says them often stays."""
    flood, often = "password " * 7000, "password is a word, " * 100
    assert redact.text(flood, default_rules()) == ("[REMOVED]", {"budget": 1})
    assert redact.text(often, default_rules()) == (often, {})


_SOUPS = {
    "dots": ".",
    "brackets": "[{",
    "digits": "1234567890 ",
    "dotted digits": "1.2.3.4.",
    "dotted letters": "a.a.a.",
    "at signs": "@",
    "base64": "YWxpY2VAZXhhbXBsZS5jb20gaXMg",
    "base64 with slashes": "YWxpY2U/",
    "hexadecimal": "61",
    "percent escapes": "%40",
    "escaped percent signs": "%25",
    "entities": "&#64;",
    "escapes": "\\u0040",
    "backslashes": "\\",
    "columns": "1\n2\n",
    "zero-width": "a\u200b",
    "fullwidth": "\uff11",
    "homoglyphs": "\u0430a",
    "cards": "4111 1111 1111 1111 ",
    "cards and accents": "é4111 1111 1111 1111 ",
    "addresses": "alice@example.com ",
    "escaped addresses": "a%40b.com ",
    "python": "{'a': 'b', ",
    "json": '{"a": "alice@example.com"}',
}


@pytest.mark.parametrize("soup", _SOUPS.values(), ids=_SOUPS)
def test_four_times_the_text_is_four_times_the_work(soup: str) -> None:
    """CPU time grows with the size, not with its square: four times as much takes less than ten times as long."""

    def cost(size: int) -> float:
        best = 1e9
        for attempt in range(3):
            text = f"{attempt} " + (soup * size)[:size]
            start = time.process_time()
            findings = redact.text(text, default_rules())[1]
            best = min(best, time.process_time() - start)
            assert "error" not in findings
        return best

    cost(1024)
    assert cost(_SIZE) < 10 * max(cost(_SIZE // 4), 0.002)


@pytest.mark.parametrize("soup", ["1234567890 ", "1.2.3.4.", "4111 1111 1111 1111 ", "1\n2\n"])
def test_what_is_removed_is_removed_whole_and_counted(soup: str) -> None:
    """Nothing of a value beyond the budget passes."""
    text, findings = redact.text(soup * (_SIZE // len(soup)), default_rules())
    assert (text == "[REMOVED]") == (findings.get("budget") == 1)


def test_an_ordinary_long_prompt_is_within_the_budget() -> None:
    """A megabyte of prose with a value in each paragraph is redacted, not removed."""
    paragraph = "On 2024-07-18 at 12:30 order 4711 (v1.2.3) was sent to alice@example.com, phone +1 415 555 2671.\n" + (
        "It took 3.5 s and cost 12.99 USD; the quick brown fox jumps over the lazy dog. " * 12
    )
    assert "budget" not in found(paragraph * 1000)


def test_ten_megabytes_of_base64_are_dropped_for_a_note() -> None:
    """A video in a span is not text."""
    text = base64.b64encode(bytes(range(251)) * 32_000).decode()
    assert clean(text) == "[MEDIA application/octet-stream 8032000 bytes]"


def test_bytes_that_are_almost_utf_8_do_not_pass() -> None:
    """One invalid byte makes the value a note."""
    request = ExportLogsServiceRequest()
    body = request.resource_logs.add().scope_logs.add().log_records.add().body
    body.bytes_value = b"alice@example.com \xc3\x28"
    run(request)
    assert body.bytes_value == b"[BYTES 20]"


@pytest.mark.parametrize("group", ["0123 ", "030 1234567 ", "+49 30 1234567 ", "07-12-3 ", "4111 1111 ", "(0) 1-2/3."])
def test_digit_soup_is_redacted_or_removed(group: str) -> None:
    """64 KiB of digits cost a bounded number of checks; a value beyond the budget is removed and counted."""
    text = group * (_SIZE // len(group))
    findings = found(text)
    assert "error" not in findings
    assert ("budget" in findings) == (clean(text) == "[REMOVED]")


def test_beyond_the_budget_the_value_is_removed() -> None:
    """The limit on checks holds, and is counted under `budget`."""
    tight = default_policy().model_copy(update={"limits": policy.Limits(depth=8, checks=10, checks_per_kib=0)})
    text, findings = redact.text("alice@example.com " * 20, policy.compile(tight))
    assert (text, findings) == ("[REMOVED]", {"budget": 1})


def test_json_nested_in_strings_beyond_the_limit_is_removed() -> None:
    """JSON in JSON is opened up to the limit; what lies deeper does not pass."""
    value = "alice@example.com"
    for _ in range(10):
        value = json.dumps([value])
    assert found(value) == {"budget": 1}
    assert "[REMOVED]" in clean(value)
    assert "alice" not in clean(value)


def test_json_within_the_limit_is_opened() -> None:
    """Seven layers of strings are opened, and all layers stay JSON."""
    value = "alice@example.com"
    for _ in range(7):
        value = json.dumps([value])
    result: object = clean(value)
    for _ in range(7):
        result = json.loads(str(result))[0]
    assert result == "[EMAIL]"


def test_deep_brackets_are_no_recursion() -> None:
    """A thousand arrays in each other are walked with a stack."""
    text = "[" * 1000 + '"alice@example.com"' + "]" * 1000
    assert clean(text) == "[" * 1000 + '"[EMAIL]"' + "]" * 1000


@pytest.mark.parametrize("depth", [1, 100, 5000])
def test_deep_values_are_no_recursion(depth: int) -> None:
    """An AnyValue built deeper than any decoder takes is walked with a stack."""
    request = ExportLogsServiceRequest()
    top = value = request.resource_logs.add().scope_logs.add().log_records.add().body
    for _ in range(depth):
        value = value.array_value.values.add()
    value.string_value = "alice@example.com"
    assert run(request).findings == {"email": 1}
    assert value.string_value == "[EMAIL]"
    assert top.HasField("array_value")


@pytest.mark.parametrize("text", ['{"a": "\\ud800 alice@example.com"}', '["\\udc00\\ud800", "alice@example.com"]'])
def test_lone_surrogates_in_json_escapes_are_no_error(text: str) -> None:
    """They are no text that UTF-8 can hold, but JSON may name them; what is written stays encodable."""
    assert "error" not in found(text)
    assert "alice" not in clean(text)
    clean(text).encode()
    json.loads(clean(text))


def test_lone_surrogates_in_a_span_do_not_stop_the_batch() -> None:
    """The string is written back escaped, as it came."""
    request = ExportLogsServiceRequest()
    body = request.resource_logs.add().scope_logs.add().log_records.add().body
    body.string_value = '{"é": "\\ud800 alice@example.com"}'
    assert run(request).findings == {"email": 1}
    assert body.string_value == '{"é": "\\ud800 [EMAIL]"}'


def test_nul_characters_do_not_join_or_hide_values() -> None:
    """Texts are told apart by place, not by a character that could be sent."""
    assert clean("a\0alice@example.com\0b") == "a\0[EMAIL]\0b"


def test_several_megabytes_are_one_text() -> None:
    """Size alone is no reason to remove a value."""
    text = "The quick brown fox jumps over the lazy dog. " * 50_000
    assert clean(text + "alice@example.com") == text + "[EMAIL]"


def test_a_text_that_would_take_all_memory_goes_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its anchors alone would: it is removed and counted as over the budget, and what stands beside it is not."""
    monkeypatch.setattr(anchors, "MOST_PLACES", 100)
    logs = ExportLogsServiceRequest()
    records = logs.resource_logs.add().scope_logs.add().log_records
    records.add().body.string_value = "a@" * 200
    records.add().body.string_value = "write to alice@example.com"
    redacted = run(logs)
    assert [record.body.string_value for record in records] == ["[REMOVED]", "write to [EMAIL]"]
    assert redacted.findings == {"budget": 1, "email": 1}


@pytest.mark.parametrize(
    "text",
    [
        "[" + '"a",' * jsontext.MOST + '"jane@example.com","a"]',
        '{"a":' * (jsontext.MOST + 1) + '"jane@example.com"',
        "[" + "1," * jsontext.MOST + '{"password":"a"},1]',
    ],
    ids=["strings", "objects", "numbers"],
)
def test_json_of_very_many_leaves_goes_whole(text: str) -> None:
    """Each leaf takes memory for as long as it is looked at: a small request, inflated, would take all there is."""
    assert found(text) == {"budget": 1}
    assert clean(text) == "[REMOVED]"
