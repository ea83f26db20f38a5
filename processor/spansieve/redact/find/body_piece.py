"""One piece of a JSON text that is not known: what is to be looked at in it, and what becomes of it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from spansieve.redact.find import carried
from spansieve.redact.rules.cache import Known
from spansieve.redact.text import parsed
from spansieve.redact.text.parsed import Frame, Shape

_NONE: Final[AbstractSet[str]] = frozenset()


class Piece:
    """JSON that is an object of a list, several of them, or a whole text, and is not known, in its circumstances.

    `new` and `known` are there once it was redacted. `shape` is None when it is to be read token by token; else
    `asked` are those of its strings that are looked at, by number, and `inner` the same as they stand in it; some are
    `settled`, and some others, long ones, named by `digests`. All that stands under `telling` keys is looked at.
    `frame` is there when it is one in which nothing was found but in long strings, which are those that are asked for;
    else `segments` are what `split` gives.
    """

    __slots__ = (
        "around", "asked", "digest", "digests", "frame", "inner", "known", "new", "segments", "settled", "shape",
        "telling", "text", "texts",
    )  # fmt: skip

    def __init__(self, text: bytes, digest: bytes | None, around: tuple[str, int, int, bool]) -> None:
        self.text = self.new = text
        self.around = around  # the key above, the place, the depth, and whether brackets are left out of both
        self.digest = digest
        self.known: Known[bytes] | None = None  # what became of it, once it was redacted
        self.shape: Shape | None = None
        self.frame: Frame | None = None
        self.segments: Sequence[bytes] = ()
        self.texts: list[str] = []
        self.asked: Sequence[int] = ()
        self.inner: Sequence[bytes] = ()
        self.settled: dict[int, Known[bytes]] = {}
        self.digests: dict[int, bytes] = {}
        self.telling: AbstractSet[str] = _NONE

    def searched(self) -> list[str]:
        """What is to be searched for anchors."""
        shape = self.shape
        if shape is None:
            return [self.json(self.text).decode()]
        texts, settled = self.texts, self.settled
        found = [texts[number] for number in self.asked if number not in settled]
        if shape.numbers and self.frame is None:
            found += [value for value, _ in shape.numbers]
        return found

    def json(self, text: bytes) -> bytes:
        """This text of the piece as JSON."""
        return b"[%b]" % text if self.around[-1] else text

    def split(self) -> Sequence[bytes]:
        """The piece split at the quotes of its strings: every second segment is one."""
        if not self.segments:
            self.segments = parsed.segments(self.text)
        return self.segments

    def going_on(self) -> dict[str, list[str]]:
        """The strings that another piece may continue, as they are once it is redacted: by key, and in order."""
        if self.shape is not None:
            return carried.of_shape(self.shape, self.texts)
        return carried.read(self.json(self.text), self.json(self.new))
