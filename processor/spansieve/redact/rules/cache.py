"""What became of texts seen before: an LLM conversation sends its whole history again with every turn.

No text is kept that came in: a text is known by a keyed digest, and what is kept is the clean text, or only that
nothing changed. The memory is bounded in bytes.
"""

import secrets
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, AnyStr, Final, Generic, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spansieve.redact.text.parsed import Frame

WORTH: Final = 256
"""Characters from which on a look-up costs less than redacting again."""

CAPACITY: Final = 32 * 1024 * 1024
"""Bytes that a memory may take, unless it is told otherwise: some ten thousand messages."""

ERROR: Final = "error"
"""What is counted where processing failed. That is never remembered: the next try may succeed."""

_ENTRY = 320  # bytes of a digest, a tuple, and their places in a table at its emptiest
_END = 160  # bytes of one of `ends`
_NONCE = bytes(12)
_MOST_KEYS = 4096
_MOST_BEGINNINGS = 64  # of frames
_ALIKE = 8  # frames that begin alike: among more it would take longer to find the right one than to read a text anew
_BEGINNING = 16  # bytes
_LONGEST_KEY = 64  # characters

Ends = tuple[tuple[str, bool], ...]


class Known(NamedTuple, Generic[AnyStr]):
    """What became of a text: `new` is the clean one, None when it stays; `found` what was found in it, by rule.

    A piece of JSON is one in UTF-8: the circumstances that its digest takes in tell it from a text that was decoded.

    `ends`, for a piece of JSON: the keys under which it holds text that what follows may continue, and whether any such
    text is so long that nothing reaches over it.
    """

    new: AnyStr | None
    found: tuple[tuple[str, int], ...]
    ends: Ends = ()

    @classmethod
    def of(cls, text: AnyStr, new: AnyStr, found: Mapping[str, int], ends: Ends = ()) -> "Known[AnyStr]":
        """What there is to know of a text that was redacted."""
        if not found and not ends and new == text:
            return NOTHING
        return cls(None if new == text else new, tuple(found.items()), ends)


NOTHING: Final[Known[Any]] = Known(None, ())
"""What is known of a text in which there is nothing."""


def _fresh_key() -> bytes:
    # No result depends on it. It keeps who chooses texts, or reads the memory, from working with digests of their own.
    return secrets.token_bytes(32)


class Cache:
    """Texts that were redacted under one policy, the most lately used of them. Owned by that policy's rules.

    Two generations: what is used is in the young one, and when that has filled half of `capacity` (bytes) it becomes
    the old one, whose place it takes. So a text is forgotten only when it was not used while half a memory of others
    was, and nothing has to be kept in order.

    A digest is the tag of AES-GCM (NIST SP 800-38D) over the text, under one nonce for each set of circumstances: GHASH
    with a secret key, a universal hash of 128 bits that runs at 10 GB/s and more. To who does not know the key, two
    texts of n bytes share one with a probability of n/2¹³². Using a nonce again would give the key of GHASH away to who
    sees the tags: no digest ever leaves the process.
    """

    __slots__ = ("_around", "_half", "_old", "_size", "_tag", "_young", "frames", "keys")

    def __init__(self, capacity: int = CAPACITY, make_key: Callable[[], bytes] = _fresh_key) -> None:
        """Make an empty memory; `make_key` gives the digests' key, of 32 bytes."""
        self._half = capacity // 2
        self._tag = AESGCM(make_key()).encrypt
        self.keys: set[str] = set()
        """Keys of JSON in which nothing was found, and for whose sake no value is taken: see `remember_key`."""
        self.frames: dict[tuple[bytes, Hashable], tuple[Frame, ...]] = {}
        """Frames of JSON in which nothing was found but in long strings, by how they begin: see `remember_frame`."""
        self._around: dict[tuple[str, int, int], bytes] = {}
        self._young: dict[bytes, Known[Any]] = {}
        self._old: dict[bytes, Known[Any]] = {}
        self._size = 0  # of the young ones

    def around(self, kind: str, where: int, depth: int, key: str | None = None) -> bytes:
        """Name all that the redaction of texts depends on beside them: their kind, place, depth and maybe key."""
        if key is not None:
            return self._name(f"{kind} {where} {depth} {key}")
        known = self._around.get((kind, where, depth))
        if known is None:  # there are few
            known = self._around[kind, where, depth] = self._name(f"{kind} {where} {depth}")
        return known

    def _name(self, circumstances: str) -> bytes:
        return self._tag(_NONCE, b"", circumstances.encode("utf-8", "surrogatepass"))[: len(_NONCE)]

    def digest(self, text: str, around: bytes) -> bytes:
        """Name a text in its circumstances; a memory that holds nothing needs no names."""
        if not self._half:
            return b""
        return self._tag(around, b"", text.encode("utf-8", "surrogatepass"))

    def digests(self, raws: Iterable[bytes], around: bytes) -> list[bytes]:
        """Name texts in UTF-8, all in the same circumstances."""
        tag = self._tag
        return [tag(around, b"", raw) for raw in raws]

    def remember_key(self, key: str) -> None:
        """Add to `keys`, which is bounded."""
        if len(key) <= _LONGEST_KEY:
            if len(self.keys) >= _MOST_KEYS:
                self.keys.clear()
            self.keys.add(key)

    def framed(self, text: bytes, around: Hashable) -> Iterator[tuple[Frame, list[bytes]]]:
        """The frames that a text may be in, in its circumstances, and the long strings that it has then."""
        for frame in self.frames.get((text[:_BEGINNING], around), ()):
            inner = frame.inner(text)
            if inner is not None:
                yield frame, inner

    def remember_frame(self, text: bytes, around: Hashable, frame: Frame) -> None:
        """Add to `frames`, which is bounded, that of a text."""
        name = text[:_BEGINNING], around
        alike = self.frames.get(name, ())
        if any(each.around == frame.around for each in alike):
            return
        if len(self.frames) >= _MOST_BEGINNINGS:
            self.frames.clear()
        self.frames[name] = (*alike[1 - _ALIKE :], frame)

    def get(self, digest: bytes) -> Known[Any] | None:
        """Say what became of a text, or None when that is not known."""
        known = self._young.get(digest)
        if known is None:
            known = self._old.get(digest)
            if known is not None:
                self._keep(digest, known)
        return known

    def recall(self, digests: Sequence[bytes]) -> list[Known[Any] | None]:
        """Say what became of texts, as `get` does."""
        found = list(map(self._young.get, digests))
        if None in found:
            for index, known in enumerate(found):
                if known is None and (earlier := self._old.get(digests[index])) is not None:
                    found[index] = earlier
                    self._keep(digests[index], earlier)
        return found

    def put(self, digest: bytes, known: Known[Any]) -> None:
        """Remember what became of a text. Too large a one is not kept."""
        self._keep(digest, known)

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def _keep(self, digest: bytes, known: Known[Any]) -> None:
        size = _ENTRY + len(digest)
        if known is not NOTHING:
            new, found, ends = known
            size += 64 * len(found) + _END * len(ends) + (0 if new is None else sys.getsizeof(new))
        if size > self._half:
            return
        if self._size + size > self._half:
            self._old, self._young, self._size = self._young, {}, 0
        self._young[digest] = known
        self._size += size
