"""What a key says about its value. Keys repeat from span to span, so what is found out is remembered, within bounds."""

import re
from collections.abc import Iterable

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DIVIDERS = re.compile(r"[-\s]+")
_WORD_GAPS = re.compile(r"[ _-]+")
_INDEX = re.compile(r"(?:[._]\d{1,6}|\[\d{0,6}\])+\Z")
_CALLS = re.compile(r"(?:^|[._])calls?(?=[._]|\Z)")
_LONGEST = 256  # of a key that is looked at: the last characters decide


def normalise(key: str) -> str:
    """Bring a key to lower snake_case with dots: `http.request.header.X-Api-Key` → `http.request.header.x_api_key`.

    A trailing index, as flattened arrays have it (`….0`), is left out.
    """
    key = _INDEX.sub("", key[-_LONGEST:])
    return _DIVIDERS.sub("_", _CAMEL.sub("_", key)).lower()


def spoken(key: str) -> str:
    """Leave the word `call` out of a normalised key: there a tool or a function is called, nobody by telephone."""
    return _CALLS.sub("", key) if "call" in key else key


def pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Compile names of a policy into a regex over normalised keys: the last words of a key decide.

    `client_secret` is found in `oauth.client_secret` and `my_client_secret`, not in `client_secret_count`; `*password`
    in every key that ends so. None for no names.
    """
    ends = [
        re.escape(name[1:]) if name.startswith("*") else rf"(?:^|[._/:]){re.escape(name)}"
        for name in (n.lower() for n in names)
    ]
    return re.compile(rf"(?:{'|'.join(ends)})\Z") if ends else None


def words(names: Iterable[str]) -> re.Pattern[str] | None:
    """Compile context words into a regex that finds them as whole words of a text or of a normalised key, in any case.

    It starts with the set of their first letters, which `re` skips to, and only then looks for a word's beginning.
    """
    by_letter: dict[str, list[str]] = {}
    for name in names:
        each = "[ _.-]?".join(re.escape(part) for part in _WORD_GAPS.split(name.lower()))
        by_letter.setdefault(name[0].lower(), []).append(each.removeprefix(re.escape(name[0].lower())))
    if not by_letter:
        return None
    first = "".join(re.escape(letter) + re.escape(letter.upper()) for letter in by_letter)
    branches = (f"(?<=(?i:{re.escape(letter)}))(?i:{'|'.join(rest)})" for letter, rest in by_letter.items())
    return re.compile(rf"[{first}](?<![^\W_][\s\S])(?:{'|'.join(branches)})(?i:e?s)?(?![^\W_])")
