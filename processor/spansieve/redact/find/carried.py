"""The strings of redacted JSON that another text may continue: by key, and in order."""

from collections.abc import Mapping, Sequence

from spansieve.redact.rules.cache import Ends
from spansieve.redact.text import jsontext, parsed, parts


def read(old: bytes, new: bytes) -> dict[str, list[str]]:
    """Those of JSON in UTF-8 that is given as it came and as it is once redacted."""
    after = _read(new)
    if after is not None:
        before = after if old == new else _read(old)
        if before is not None and len(before.texts) == len(after.texts):
            return of_shape(after, after.texts)
    tokens = strings_of(old.decode(), new.decode())
    return by_key([token.key for token in tokens], [token.text for token in tokens])


def _read(text: bytes) -> parsed.Shape | None:
    try:
        return parsed.shape(text, "", wrapped=False)
    except ValueError:
        return None


def of_shape(shape: parsed.Shape, texts: Sequence[str]) -> dict[str, list[str]]:
    """Those of the texts of a JSON text of this shape."""
    return {key: [texts[number] for number in of] for key, of in shape.going_on.items()}


def strings_of(old: str, new: str) -> list[jsontext.Token]:
    """The strings of redacted JSON that were strings before: a number that was somebody's is no part of a text."""
    before = jsontext.tokens(old, "", whole=True)
    after = jsontext.tokens(new, "", whole=True)
    return [token for was, token in zip(before, after, strict=True) if was.kind == jsontext.STRING]


def by_key(keys: Sequence[str | None], texts: Sequence[str]) -> dict[str, list[str]]:
    """Those of these texts, with their keys: None is that of a key itself."""
    found: dict[str, list[str]] = {}
    for key, text in zip(keys, texts, strict=True):
        if key is not None and (key in parts.KEYS or parts.carries_parts(key)):
            found.setdefault(key, []).append(text)
    return found


def ends(carried: Mapping[str, Sequence[str]]) -> Ends:
    """What the memory keeps of them."""
    return tuple([(key, any(map(parts.closes, texts))) for key, texts in carried.items()])
