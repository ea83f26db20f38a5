"""Names in texts: the tagger, what it found before, and the words that are no names by themselves."""

import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from spansieve.names import spans as _spans
from spansieve.names import tokens as _tokens
from spansieve.names.model import Model
from spansieve.names.spans import Span

REMEMBERED: Final = 40_000
"""Texts of which it is known what was found: some 10 MB. A conversation sends its messages again with each turn."""

_WORTH = 24  # characters from which on a look-up costs less than tagging again
_DIGEST = 16
_AT_ONCE = 4096  # tokens that are held for one call of the tagger, roughly


class Recogniser:
    """Finds persons and places in texts. Owned by one thread at a time.

    No text is kept: what was found in one is remembered under a keyed digest of it. Two generations bound the memory.
    """

    def __init__(self, model: Model, thresholds: tuple[float, float]) -> None:
        """Take the least probabilities of PERSON and LOCATION."""
        self._tagger = model.tagger()
        self._thresholds = thresholds
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

    def _tag(
        self,
        waiting: Sequence[tuple[int, bytes | None, list[str]]],
        texts: Sequence[str],
        found: list[tuple[Span, ...]],
    ) -> None:
        scored = self._tagger.probabilities([split for _, _, split in waiting])
        for (index, digest, split), probabilities in zip(waiting, scored, strict=True):
            spans = tuple(_spans.found(texts[index], split, probabilities, self._thresholds))
            found[index] = spans
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
