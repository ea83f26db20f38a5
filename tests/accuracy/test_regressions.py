"""What other products are known to get wrong, each as one fact."""

import time

import pytest

from unit.redact.helpers_redact import clean, found

_KEPT = [
    ("a trace id is no key of Azure", "4bf92f3577b34da6a3ce929d0e0e4736", ""),
    ("a UUID is no key of Heroku", "724843a1-5e9f-4bda-bcca-db4ec340de1e", ""),
    ("a part of a UUID is no telephone", "71d9b0e2-0123-4567-8901-234567890123", ""),
    ("a sort key is no secret", "sort key: name", ""),
    ("token counts are no tokens", '{"prompt_tokens": 1234, "completion_tokens": 56}', ""),
    ("the word token does not take a value", "input", "gen_ai.token.type"),
    ("a date is no telephone", "2024-07-18 12:00:00", ""),
    ("a model's name holds no date to remove", "gpt-4o-mini-2024-07-18", "gen_ai.request.model"),
    ("an identifier is no driving licence", "ORDER-A1234567", ""),
    ("a version is no address", "Chrome/120.0.6099.109", "user_agent.original"),
    ("loopback is nobody's address", "127.0.0.1", ""),
    ("lic in public is no context", "the public number 123456789", ""),
    ("a JSON schema that has a password is a schema", '{"properties":{"password":{"type":"string"}}}', ""),
]


@pytest.mark.parametrize(("text", "key"), [case[1:] for case in _KEPT], ids=[case[0] for case in _KEPT])
def test_what_others_redact_by_mistake_stays(text: str, key: str) -> None:
    """Ids, counts, dates, versions and names of models look like personal data and are none."""
    assert clean(text, key) == text


_GONE = [
    ("an American Express card has fifteen digits", "378282246310005", "[CARD]"),
    ("a domain need not be public", "bob@corp.internal", "[EMAIL]"),
    ("a reserved domain counts", "alice@example.invalid", "[EMAIL]"),
    ("a sample number may be somebody's", "078-05-1120", "[US_SSN]"),
    ("underscores are no part of a number", "id_4111111111111111_x", "id_[CARD]_x"),
    ("all of several neighbours go", "078-05-1120 219-09-9999", "[US_SSN] [US_SSN]"),
    ("neighbours of a kind go without a gap in the text", "a@b.example,c@d.example", "[EMAIL],[EMAIL]"),
    (
        "overlapping findings delete nothing beside them",
        "key " + "sk-" + "ant-api03-AAAAAAAAAAAAAAAAAAAA please keep this following sentence intact",
        "key [API_KEY] please keep this following sentence intact",
    ),
    (
        "JSON in a string stays JSON",
        '{"email":"a@b.example","password":"x"}',
        '{"email":"[EMAIL]","password":"[SECRET]"}',
    ),
    (
        "a word beside a secret does not save it",
        "your example password=hunter2 is public",
        "your example password=[SECRET] is public",
    ),
    (
        "a host that is allowed elsewhere does not save a text",
        "http://localhost:8080 mail a@b.example",
        "http://localhost:8080 mail [EMAIL]",
    ),
]


@pytest.mark.parametrize(("text", "becomes"), [case[1:] for case in _GONE], ids=[case[0] for case in _GONE])
def test_what_others_miss_goes(text: str, becomes: str) -> None:
    """Values that other products leave, or take with the text around them, go alone."""
    assert clean(text) == becomes


def test_the_word_password_does_not_erase_a_prompt() -> None:
    """A prompt of several kilobytes stays but for the one value in it."""
    prompt = (
        "I forgot my password, and the password field says nothing. " * 60 + "My password is hunter2. " + "Help! " * 200
    )
    assert clean(prompt, "gen_ai.input.messages") == prompt.replace("hunter2", "[SECRET]")


def test_harmless_text_does_not_switch_off_the_rest() -> None:
    """Words that other products allow-list, in front of a value, change nothing."""
    prompt = "example test sample localhost dummy 00000000-0000-0000-0000-000000000000 " * 20
    assert clean(prompt + "378282246310005", "gen_ai.prompt") == prompt + "[CARD]"


@pytest.mark.parametrize(
    "text", ["." * 1600, "1.2.3.4." * 135, "a." * 1000, "-a" * 4096, "(" * 4000, "@" * 4000, "12.34-56" * 1000]
)
def test_punctuation_in_a_row_costs_next_to_nothing(text: str) -> None:
    """A table of contents takes milliseconds, not seconds, and what follows it is still found."""
    started = time.perf_counter()
    out = clean(text + " http://user:secret1@host.example/ mail a@b.example")
    assert time.perf_counter() - started < 0.5
    assert "secret1" not in out
    assert "a@b.example" not in out


def test_an_address_of_mail_needs_no_list_of_domains() -> None:
    """Neither a network nor a list of suffixes decides, so that the answer is the same everywhere."""
    assert found("x@y.zz") == {"email": 1}
