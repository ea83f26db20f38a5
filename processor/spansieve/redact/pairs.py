"""Headers written as lists of pairs, `[["x-api-key", "…"], …]`: the first of a pair is the key of the second.

Only pairs within a list count: two words in a list of their own are just words.
"""

from collections.abc import Sequence

from spansieve.redact import jsontext


def named(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    """The leaves of a JSON text that are the second of a pair, by index, with their keys."""
    if '["' not in text or "]" not in text:
        return {}
    found: dict[int, str] = {}
    before: jsontext.Token | None = None
    for index, token in enumerate(members):
        if (
            before is not None
            and before.kind == token.kind == jsontext.STRING
            and text[token.end : token.end + 1] == "]"
            and text[before.end : token.start].strip() == ","
            and text[before.start - 1 : before.start] == "["
            and text[: before.start - 1][-8:].rstrip()[-1:] in ("[", ",")
        ):
            found[index] = before.text
        before = token
    return found
