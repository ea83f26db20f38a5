"""Names in texts: the tagger, what it found before, and the words that are no names by themselves."""

import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

from spansieve.names import spans as _spans
from spansieve.names import tokens as _tokens
from spansieve.names.model import Model
from spansieve.names.spans import Span

Find = Callable[[str], Sequence[Span]]
"""Another recogniser: a text's persons and places, in any order."""

REMEMBERED: Final = 40_000
"""Texts of which it is known what was found: some 10 MB. A conversation sends its messages again with each turn."""

_WORTH = 24  # characters from which on a look-up costs less than tagging again
_DIGEST = 16
_LONGEST = 100_000  # characters that are read in one go
_EDGE = 500  # characters at the end of a window of which it does not see what is around them
_AT_ONCE = 4096  # tokens that are held for one call of the tagger, roughly


class Recogniser:
    """Finds persons and places in texts. Owned by one thread at a time.

    No text is kept: what was found in one is remembered under a keyed digest of it. Two generations bound the memory.
    """

    def __init__(self, model: Model, thresholds: tuple[float, float], others: Sequence[Find] = ()) -> None:
        """Take the least probabilities of PERSON and LOCATION, and whose findings are added: they get no long text."""
        self._tagger = model.tagger()
        self._thresholds = thresholds
        self._others = tuple(others)
        self._key = secrets.token_bytes(32)
        self._young: dict[bytes, tuple[Span, ...]] = {}
        self._old: dict[bytes, tuple[Span, ...]] = {}

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """Find the names in each text, in order and without overlap."""
        found: list[tuple[Span, ...]] = [()] * len(texts)
        waiting: list[tuple[int, bytes | None, list[str]]] = []
        size = 0
        fresh: dict[bytes, int] = {}
        again: list[tuple[int, int]] = []
        for index, text in enumerate(texts):
            digest = None
            if len(text) >= _WORTH:
                digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST, key=self._key).digest()
                known = self._known(digest)
                if known is not None:
                    found[index] = known
                    continue
                if digest in fresh:
                    again.append((index, fresh[digest]))
                    continue
                fresh[digest] = index
            if not text:
                continue
            if len(text) > _LONGEST:
                found[index] = self._in_windows(text)
                continue
            split = _tokens.split("\n" + text)
            waiting.append((index, digest, split))
            size += len(split)
            if size > _AT_ONCE:
                self._tag(waiting, texts, found)
                waiting, size = [], 0
        self._tag(waiting, texts, found)
        for index, same in again:
            found[index] = found[same]
        return found

    def _in_windows(self, text: str) -> tuple[Span, ...]:
        """Read a long text in windows, so that memory does not grow with it.

        They overlap, and what is found near the edge of one counts where it stands further inside of the other.
        """
        spans: list[Span] = []
        for begin in range(0, len(text), _LONGEST - 2 * _EDGE):
            last = begin + _LONGEST >= len(text)
            left, right = _EDGE if begin else 0, len(text) if last else _LONGEST - _EDGE
            found = self.find([text[begin : begin + _LONGEST]])[0]
            spans += [(begin + start, begin + end, kind) for start, end, kind in found if end > left and start < right]
            if last:
                break
        return tuple(merged(spans, []))

    def _tag(
        self,
        waiting: Sequence[tuple[int, bytes | None, list[str]]],
        texts: Sequence[str],
        found: list[tuple[Span, ...]],
    ) -> None:
        scored = self._tagger.probabilities([split for _, _, split in waiting])
        for (index, digest, split), probabilities in zip(waiting, scored, strict=True):
            ours = _spans.found(texts[index], split, probabilities, self._thresholds)
            for other in self._others:
                ours = merged(ours, other(texts[index]))
            spans = found[index] = tuple(ours)
            if digest is not None:
                self._remember(digest, spans)

    def _known(self, digest: bytes) -> tuple[Span, ...] | None:
        known = self._young.get(digest)
        if known is None and (known := self._old.get(digest)) is not None:
            self._remember(digest, known)
        return known

    def _remember(self, digest: bytes, spans: tuple[Span, ...]) -> None:
        if len(self._young) >= REMEMBERED // 2:
            self._old, self._young = self._young, {}
        self._young[digest] = spans


def merged(ours: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Put findings together: what overlaps is one, of the kind that ours says, else of that of the first."""
    together: list[Span] = []
    mine = set(ours)
    for span in sorted([*ours, *others]):
        if together and span[0] < together[-1][1]:
            start, end, kind = together[-1]
            together[-1] = (start, max(end, span[1]), span[2] if span in mine else kind)
        else:
            together.append(span)
    return together
