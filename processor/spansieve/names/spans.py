"""From the tokens' probabilities to spans of characters."""

import re
from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt

from spansieve.names import tokens as _tokens
from spansieve.names.tagger import LOCATION, PERSON

Span = tuple[int, int, int]
"""Start, end and PERSON or LOCATION, in characters of the text."""

_AROUND = 200
"""Characters on either side that are looked at, to see what a name is a part of."""
_ENDS = (" ", "\n", "\t", '"', "<", ">", "(", ",", ";", "|", "`")
_END = re.compile(r"[\s\"<>(),;|`]")
_OPAQUE = re.compile(
    r"[^\s@]@[\w-]+\.\w|://|^www\.|^~?/[\w.-]+/|^[A-Za-z]:\\|\.(?:com|org|net|io|dev|local|internal|example|py|js|ts|go|rs"
    r"|java|rb|json|ya?ml|md|txt|csv|log|html?|pdf|png|jpe?g|docx?|xlsx?|sql|sh)\b"
)
_WORD = re.compile(r"[^\W\d_]{2}|[^\W\d_\x00-\u2e7f]")  # two letters, or one of a script that writes words in one
_ABBREVIATED = 2  # letters before a full stop that ends no sentence, as in «J. Roe», «St. John»
_SIGNED = ("_", "@")
_JOINING = frozenset({".", "-", "'", "’", ".-"})
_BLANKS = " \n\t\r\v\f\x1c\x1d\x1e\x1f\x85\xa0"


def found(
    text: str, tokens: Sequence[str], probabilities: npt.NDArray[np.float32], thresholds: tuple[float, float]
) -> list[Span]:
    """Put tokens that are names together. `tokens` are those of the text with a line's end before it.

    Neighbours of which each is a name of some kind are one span, of the kind that most speaks for. `thresholds` are
    the least probabilities of PERSON and of LOCATION.
    """
    named = probabilities[:, 1:3]
    hits = np.flatnonzero((named >= thresholds).any(axis=1) | (named.sum(axis=1) >= max(thresholds)))
    if not len(hits):
        return []
    places = _tokens.offsets(tokens)
    spans: list[list[float]] = []
    last = -9
    for at, (person, place) in zip(hits.tolist(), named[hits].tolist(), strict=True):
        bare = tokens[at].lstrip(_BLANKS)
        if not bare or not bare[0].isalnum():
            continue
        end = places[at + 1] - 1
        if spans and _goes_on(tokens, last, at):
            spans[-1][1] = end
            spans[-1][2] += person - place
        else:
            spans.append([end - len(bare), end, person - place])
        last = at
    named_spans = [(int(start), int(end), PERSON if balance > 0 else LOCATION) for start, end, balance in spans]
    return [span for span in named_spans if not _is_no_name(text, *span)]


def _is_no_name(text: str, start: int, end: int, label: int) -> bool:
    """Whether what looks like a name is only digits, or a part of an address of mail, a URL, a path, an identifier."""
    if not _WORD.search(text, start, end) and (label == PERSON or not text[start:end].isdigit()):
        return True
    if text[start - 1 : start] in _SIGNED or text[end : end + 1] == "_":
        return True
    left = max(map(text.rfind, _ENDS, repeat(max(0, start - _AROUND)), repeat(start))) + 1
    right = _END.search(text, end, end + _AROUND)
    chunk = text[max(left, start - _AROUND) : right.start() if right else end + _AROUND]
    return len(chunk) > end - start and _OPAQUE.search(chunk) is not None


def _goes_on(tokens: Sequence[str], last: int, at: int) -> bool:
    """Whether a name goes on from one token to another: they are neighbours in a line, or a joining sign is between."""
    between = tokens[last + 1 : at + 1]
    if any("\n" in token for token in between):
        return False
    if len(between) == 1:
        return True
    sign = between[0].strip(_BLANKS)
    if len(between) > 2 or sign not in _JOINING:
        return False
    return sign != "." or len(tokens[last].strip(_BLANKS)) <= _ABBREVIATED


__all__ = ["LOCATION", "PERSON", "Span", "found"]
