r"""From a text to tokens: runs of letters, of digits, of other signs, each with the one blank before it.

Every character of a text is in exactly one token, so that lengths alone say where a token stands. The blank before a
word belongs to its token: « Jane», «Jane» and «\nJane» are different tokens, so that a word in a sentence, a piece
of an identifier and the start of a line look different to the tagger.
"""

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 48
"""Letters in one token: a longer run, such as an encoded file, is several tokens, and costs what its length costs."""

# What is no letter: ASCII's and Latin-1's signs, general punctuation, arrows, symbols and emoji, CJK punctuation and
# full-width signs. Whatever else there is counts as a letter: combining marks and the digits of other scripts as well.
_NO_LETTER = (
    "\\x00-@\\[-`{-\\xa9\\xab-\\xb4\\xb6-\\xb9\\xbb-\\xbf\\xd7\\xf7\\u1680\\u2000-\\u206f\\u2190-\\u2bff"
    "\\u2e00-\\u2e7f\\u3000-\\u3004"
    "\\u3007-\\u3020\\u30fb\\ufe00-\\ufe0f\\uff00-\\uff20\\ufff0-\\uffff\\U0001f000-\\U0001faff\\U000e0000-\\U000e0fff"
)
_LETTERS = f"[^{_NO_LETTER}]{{1,{LONGEST}}}"
_SIGNS = f"(?:(?=[{_NO_LETTER}])[^0-9_\\s]){{1,8}}"
_TOKEN: Final = re.compile(rf"\s?(?:{_LETTERS}|[0-9]{{1,{LONGEST}}}|_|{_SIGNS})|\s+(?=\s)|\s+|.", re.DOTALL)


def split(text: str) -> list[str]:
    """Cut a text into tokens. Joined, they are the text."""
    return _TOKEN.findall(text)


def offsets(tokens: Sequence[str]) -> list[int]:
    """Where each token starts, the blank before it included; one more number says where the last one ends."""
    at = 0
    places = [0]
    for token in tokens:
        at += len(token)
        places.append(at)
    return places
