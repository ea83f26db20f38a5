"""Texts without JSON: what stands written otherwise is read where it may hide something, and only there."""

import base64
from collections.abc import Sequence

import pytest

from spansieve.redact.text import normalise
from unit.redact.helpers_redact import clean

_KEY = "-----BEGIN PRIVATE KEY-----\n" + ("A" * 63 + "1\n2" + "B" * 61 + "\n") * 4 + "-----END PRIVATE KEY-----"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read in another way."""
    texts: list[str] = []
    readings = normalise.readings

    def noted(text: str, known: Sequence[normalise.Atom] | None = None) -> list[normalise.Reading]:
        texts.append(text)
        return readings(text, known)

    monkeypatch.setattr(normalise, "readings", noted)
    return texts


def test_a_run_behind_an_escaped_line_end_is_decoded() -> None:
    r"""A backslash and an `n` in front of base64 are no part of it."""
    encoded = base64.b64encode(b"it is +49 30 1255607").decode()
    assert encoded not in clean(rf"first\n{encoded}\nlast")


def test_line_ends_deep_within_a_finding_are_not_read_otherwise(read: list[str]) -> None:
    """The lines of a key in PEM end and begin with digits now and then: the whole key is gone."""
    assert clean(f"the key is {_KEY} and so on") == "the key is [PRIVATE_KEY] and so on"
    assert read == []


def test_line_ends_beside_a_finding_are_read_otherwise(read: list[str]) -> None:
    """A number over the end of a line is found, also when something else was found as well."""
    assert "1111\n1111" not in clean(f"{_KEY} and the card 4111 1111 1111\n1111 there")
    assert read


@pytest.mark.parametrize("text", ["alice@example。com", "write to alice@mail。example。com, please"])
def test_an_ideographic_full_stop_between_letters_is_a_dot(text: str) -> None:
    """RFC 3490 takes U+3002 for a dot in names of hosts."""
    assert "alice" not in clean(text)


def test_an_ideographic_full_stop_ends_a_sentence() -> None:
    """Between letters of its own script it hides nothing."""
    text = "我们使用模型。谢谢你。"
    assert clean(text) == text
