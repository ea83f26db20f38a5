"""Keys are compared word by word, however they are written."""

import pytest

from spansieve.redact.rules import keys


@pytest.mark.parametrize(
    ("key", "normal"),
    [
        ("http.request.header.X-Api-Key", "http.request.header.x_api_key"),
        ("clientSecret", "client_secret"),
        ("APIKey", "api_key"),
        ("DB_PASSWORD", "db_password"),
        ("authorization.0", "authorization"),
        ("messages[3]", "messages"),
        ("a b", "a_b"),
        ("", ""),
    ],
)
def test_keys_become_snake_case(key: str, normal: str) -> None:
    """Case, hyphens and a trailing index make no difference."""
    assert keys.normalise(key) == normal


@pytest.mark.parametrize("key", ["secret", "db.secret", "my_secret", "a/secret"])
def test_the_last_words_decide(key: str) -> None:
    """A name is found at the end of a key, at a word's boundary."""
    pattern = keys.pattern(["secret"])
    assert pattern is not None
    assert pattern.search(key)


@pytest.mark.parametrize("key", ["secretary", "secret_count", "topsecret", "secret.id"])
def test_other_words_are_other_keys(key: str) -> None:
    """A name inside of a word, or before others, is not found."""
    pattern = keys.pattern(["secret"])
    assert pattern is not None
    assert not pattern.search(key)


def test_a_star_takes_any_beginning() -> None:
    """`*password` is found in a word that ends so."""
    pattern = keys.pattern(["*password"])
    assert pattern is not None
    assert pattern.search("dbpassword")


@pytest.mark.parametrize("text", ["my SSN is", "ssn:", "Social  security", "social_security", "SSNs", "(ssn)"])
def test_context_words_are_whole_words(text: str) -> None:
    """In any case, with any one separator between words, in the plural too."""
    words = keys.words(["ssn", "social security"])
    assert words is not None
    assert bool(words.search(text)) is (text != "Social  security")


def test_no_names_are_no_pattern() -> None:
    """A rule without keys costs nothing."""
    assert keys.pattern([]) is None
    assert keys.words([]) is None


@pytest.mark.parametrize(
    ("key", "spoken"),
    [
        ("gen_ai.tool.call.result", "gen_ai.tool.result"),
        ("message.tool_calls", "message.tool"),
        ("calls.total", ".total"),
        ("recall.phone", "recall.phone"),
        ("user.phone", "user.phone"),
    ],
)
def test_a_call_in_a_key_is_nobodys(key: str, spoken: str) -> None:
    """The word `call` of a key, which is one of a tool, tells no telephone number."""
    assert keys.spoken(key) == spoken
