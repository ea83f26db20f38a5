"""From distinct tokens to numbers: rows of a hashed table, and what lists of names and words know of each.

All of it is arithmetic on arrays of code points, for many tokens at once. Training and run time share this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

ROWS: Final = 1 << 16
"""Rows of the table into which features are hashed."""

KIND_WORD: Final = 0
KIND_LEXICON: Final = 1
KIND_PIECE: Final = 2
KIND_SHAPE: Final = 3
"""Kinds of features, for training: which of them are left out at random, and how often."""

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)
_LEAST, _MOST = 3, 6
_BEGIN, _END = 2, 3  # code points that are in no token
_LONGEST = 64
_BLANKS = " \n\t\r\v\f\x1c\x1d\x1e\x1f\x85\xa0"

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of words: sorted hashes of lower-case words, and for each a byte of four marks of two bits.

    From the lowest: how common as a given name, as a family name, as a part of a place's name, as an ordinary word;
    0 is not at all.
    """

    hashes: npt.NDArray[np.uint32]
    marks: npt.NDArray[np.uint8]

    def look_up(self, words: Hashes) -> npt.NDArray[np.uint8]:
        """Give the marks of words, by their hashes; 0 for one that is not listed."""
        if not len(self.hashes):
            return np.zeros(len(words), np.uint8)
        keys = lexicon_keys(words)
        at = np.searchsorted(self.hashes, keys)
        at[at == len(self.hashes)] = 0
        return np.where(self.hashes[at] == keys, self.marks[at], 0).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Vectors:
    """What frequent words mean, as vectors that were learnt from much text: sorted hashes of lower-case words.

    `codes` has a row for each in steps of `step`, so that the numbers of a row times `step` are the vector.
    """

    hashes: npt.NDArray[np.uint32]
    codes: npt.NDArray[np.int8]
    step: float

    def look_up(self, words: Hashes) -> npt.NDArray[np.float32]:
        """Give the vectors of words, by their hashes; zeros for one that is not listed."""
        found = np.zeros((len(words), self.codes.shape[1]), np.float32)
        if len(self.hashes):
            keys = lexicon_keys(words)
            at = np.searchsorted(self.hashes, keys)
            at[at == len(self.hashes)] = 0
            known = np.flatnonzero(self.hashes[at] == keys)
            found[known] = self.codes[at[known]]
            found *= np.float32(self.step)
        return found


@dataclass(frozen=True, slots=True)
class Rows:
    """The features of some tokens, one token after the other: `rows[begins[i]:begins[i + 1]]` are those of token i.

    `words` are the tokens' hashes, to look up their vectors by.
    """

    rows: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    words: Hashes


def word_hashes(words: Sequence[str]) -> Hashes:
    """Hash lower-case words, for a lexicon."""
    return _sums(*_codes(words))


def lexicon_keys(hashes: Hashes) -> npt.NDArray[np.uint32]:
    """The halves of hashes that a lexicon keeps: of 200,000 words, one in 20,000 others is taken for one of them."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


def of_tokens(tokens: Sequence[str], lexicon: Lexicon) -> Rows:
    """Find the features of tokens.

    They are the word, its shape, its pieces of three and four letters, longer ones at its ends, what the lexicon knows
    of it, and what stands before it.
    """
    bare = [token.lstrip(_BLANKS)[:_LONGEST] for token in tokens]
    lower = [word.lower() for word in bare]
    codes, begins = _codes(lower)
    words = _sums(codes, begins)
    marks = lexicon.look_up(words).astype(np.uint64)
    shapes = np.array([_shape(word) for word in bare], np.uint64)
    before = np.array([_before(token, word) for token, word in zip(tokens, bare, strict=True)], np.uint64)
    size = len(tokens)
    owner = np.arange(size, dtype=np.int64)
    case = shapes & np.uint64(7)
    single = [
        (words, KIND_WORD, 1),
        (_joined(words, case), KIND_WORD, 2),
        (shapes, KIND_SHAPE, 3),
        (_joined(before, case), KIND_SHAPE, 4),
        (marks, KIND_LEXICON, 5),
        (_joined(marks, case), KIND_LEXICON, 6),
        (marks & np.uint64(0b1111), KIND_LEXICON, 7),
        (marks >> np.uint64(4), KIND_LEXICON, 8),
    ]
    rows = [_row(values, salt) for values, _, salt in single]
    owners = [owner] * len(single)
    kinds = [np.full(size, kind, np.uint8) for _, kind, _ in single]
    for values, at in _pieces(codes, begins):
        rows.append(values)
        owners.append(at)
        kinds.append(np.full(len(at), KIND_PIECE, np.uint8))
    all_owners = np.concatenate(owners)
    order = np.argsort(all_owners, kind="stable")
    counts = np.bincount(all_owners, minlength=size)
    starts = np.zeros(size + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return Rows(np.concatenate(rows)[order], starts, np.concatenate(kinds)[order], words)


def _codes(words: Sequence[str]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The code points of words, each word between two marks, and where each begins."""
    joined = "".join([f"\x02{word}\x03" for word in words])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    begins = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, words), np.int64, len(words)) + 2, out=begins[1:])
    return codes, begins


def _sums(codes: Hashes, begins: npt.NDArray[np.int64]) -> Hashes:
    if len(begins) == 1:
        return np.zeros(0, np.uint64)
    lengths = np.diff(begins)
    place = np.arange(len(codes), dtype=np.int64) - np.repeat(begins[:-1], lengths)
    return _mixed(np.add.reduceat(codes * _powers(int(lengths.max()))[place], begins[:-1]))


def _powers(size: int) -> Hashes:
    powers = np.full(size, _MULTIPLIER, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(32))) * _MIX
    return values ^ (values >> np.uint64(29))


def _joined(values: Hashes, more: Hashes) -> Hashes:
    return _mixed(values * _MULTIPLIER + more)


def _row(values: Hashes, salt: int) -> npt.NDArray[np.int64]:
    return (_mixed(values * _MULTIPLIER + np.uint64(salt)) & np.uint64(ROWS - 1)).astype(np.int64)


def _pieces(codes: Hashes, begins: npt.NDArray[np.int64]) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows of the runs of code points inside of each word, marks included, and which word each is of."""
    lengths = np.diff(begins)
    owner = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    found = []
    values = codes
    for size in range(2, _MOST + 1):
        if len(codes) < size:
            break
        values = values[:-1] * _MULTIPLIER + codes[size - 1 :]
        if size < _LEAST:
            continue
        whole = owner[: len(values)] == owner[size - 1 :]
        if size > 4:  # at the ends only
            whole &= (codes[: len(values)] == _BEGIN) | (codes[size - 1 :] == _END)
        at = np.flatnonzero(whole)
        found.append((_row(values[at], 16 + size), owner[at]))
    return found


def _shape(word: str) -> int:
    """How a token is written: its case in the lowest three bits, then its length up to 12, then its kind of letters."""
    if word.isalpha():
        kind = 0 if word.isascii() else 1 if word[0] < "\u0250" else 2 if word[0] < "\u0590" else 3
        if word.islower():
            case = 1
        elif word.istitle():
            case = 2
        elif word.isupper():
            case = 3 if len(word) > 1 else 5
        elif word[0].isupper():
            case = 4
        else:
            case = 6
    elif word.isdigit():
        kind, case = 4, 0
    elif not word:
        kind, case = 6, 0
    else:
        kind, case = 5, 7 if word[0].isalpha() else 0
    return case | min(len(word), 12) << 3 | kind << 7


def _before(token: str, word: str) -> int:
    """What stands before a word in its token: nothing, a blank, the start of a line, a gap."""
    if not word:
        return 3 + min(token.count("\n"), 2)
    first = token[0]
    return 1 if first == " " else 2 if first in _BLANKS else 0
