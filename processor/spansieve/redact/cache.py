"""What became of texts seen before: an LLM conversation sends its whole history again with every turn.

No text is kept that came in: a text is known by a keyed digest, and what is kept is the clean text, or only that
nothing changed. The memory is bounded in bytes.
"""

import secrets
import sys
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

WORTH: Final = 256
"""Characters from which on a look-up costs less than redacting again."""

CAPACITY: Final = 32 * 1024 * 1024
"""Bytes that a memory may take, unless it is told otherwise: some ten thousand messages."""

_ENTRY = 320  # bytes of a digest, a tuple, and their places in a table at its emptiest
_DIGEST = 16  # 128 bits: at a million texts, two share one with a probability of 10⁻²⁷

Known = tuple[str | None, tuple[tuple[str, int], ...]]
"""The clean text, or None when the text stays as it is; and what was found in it, by rule."""


def _fresh_key() -> bytes:
    # No result depends on it. It keeps who chooses texts, or reads the memory, from working with digests of their own.
    return secrets.token_bytes(32)


class Cache:
    """Texts that were redacted under one policy, the most lately used of them. Owned by that policy's rules.

    Two generations: what is used is in the young one, and when that has filled half of `capacity` (bytes) it becomes
    the old one, whose place it takes. So a text is forgotten only when it was not used while half a memory of others
    was, and nothing has to be kept in order.
    """

    __slots__ = ("_half", "_key", "_old", "_size", "_young")

    def __init__(self, capacity: int = CAPACITY, make_key: Callable[[], bytes] = _fresh_key) -> None:
        """Make an empty memory; `make_key` gives the digest's key, of 1 to 64 bytes."""
        self._half = capacity // 2
        self._key = make_key()
        self._young: dict[bytes, Known] = {}
        self._old: dict[bytes, Known] = {}
        self._size = 0  # of the young ones

    def digest(self, text: str, circumstances: str = "") -> bytes:
        """Name a text and all else that its redaction depends on: its key, its place, the depth it was found at."""
        around = circumstances.encode("utf-8", "surrogatepass")
        name = blake2b(b"%d:%b" % (len(around), around), digest_size=_DIGEST, key=self._key)
        name.update(text.encode("utf-8", "surrogatepass"))
        return name.digest()

    def get(self, digest: bytes) -> Known | None:
        """Say what became of a text, or None when that is not known."""
        known = self._young.get(digest)
        if known is None:
            known = self._old.get(digest)
            if known is not None:
                self._keep(digest, known)
        return known

    def put(self, digest: bytes, new: str | None, findings: Mapping[str, int]) -> None:
        """Remember what became of a text: `new` is None when it stays as it is. Too large a text is not kept."""
        self._keep(digest, (new, tuple(findings.items())))

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def _keep(self, digest: bytes, known: Known) -> None:
        new, findings = known
        size = _ENTRY + 64 * len(findings) + (0 if new is None else sys.getsizeof(new))
        if size > self._half:
            return
        if self._size + size > self._half:
            self._old, self._young, self._size = self._young, {}, 0
        self._young[digest] = known
        self._size += size
