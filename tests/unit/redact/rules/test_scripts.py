"""Words of other scripts in front of a value say what it is."""

import pytest

from spansieve.redact.rules.validators import scripts


def _value(text: str) -> tuple[int, int]:
    start = min(at for at, character in enumerate(text) if character.isascii() and character.isalnum())
    end = start
    while end < len(text) and "!" <= text[end] <= "~":
        end += 1
    return start, end


@pytest.mark.parametrize(
    "text",
    [
        "пароль: horse",
        "Пароль — horse",
        "пароль от почты: horse",
        "пароль horse77",
        "密码是horse",
        "密碼\uff1ahorse",
        "パスワードは「horse",
        "비밀번호는 horse",
        "كلمة المرور هي horse",
        "הסיסמה שלי היא horse",
        "κωδικός μου είναι horse",
    ],
)
def test_a_secret_stands_behind_its_word(text: str) -> None:
    """With a sign, a word for `is`, or what it is for between them; or nothing, when it looks like no word."""
    start, end = _value(text)
    assert scripts.secret(text, start, end) == (start, end)


@pytest.mark.parametrize(
    "text", ["пароль horse", "пароль 123456789", "слово: horse", "horse пароль", "密码长度为12345", "привет horse77"]
)
def test_other_words_tell_no_secret(text: str) -> None:
    """A word or a number right behind it may be anything."""
    start, end = _value(text)
    assert scripts.secret(text, start, end) is None


@pytest.mark.parametrize(
    "text",
    [
        "дата рождения: 1980",
        "Родилась 1980",
        "出生日期\uff1a1980",
        "生年月日は1980",
        "생년월일 1980",
        "ημερομηνία γέννησης 1980",
        "昭和生年月日: 昭和55",
    ],
)
def test_a_date_behind_a_word_for_birth_is_one(text: str) -> None:
    """In forms and in sentences."""
    start, end = _value(text)
    assert scripts.birth(text, start, end) == (start, end)


@pytest.mark.parametrize("text", ["дата выпуска: 2025", "发布日期\uff1a2025", "рождения нет, это 2025"])
def test_other_dates_are_none(text: str) -> None:
    """Of what was released, or behind another word."""
    start, end = _value(text)
    assert scripts.birth(text, start, end) is None
