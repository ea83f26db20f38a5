"""Short attributes that were not met before: most hold nothing, and one look at all of them together says so.

A text without an anchor stays as it is, unless its key alone tells, so that it need not be taken through the rules by
itself; and so does one whose anchors are numbers that no pattern matches. Most identifiers need not even that look.
What else has anchors goes through the rules with their places. What is long, written in another way than usual, or
under a key that is not known or tells something, is left to the longer road (`pieces`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from spansieve.errors import MalformedRequest
from spansieve.otlp_reduced import NOT_A_REQUEST
from spansieve.redact.find.matching import Places
from spansieve.redact.otlp import attributes
from spansieve.redact.otlp.attributes import PREFIXES, Key
from spansieve.redact.otlp.ids import SHORTEST, Ids
from spansieve.redact.otlp.pieces import Attributes, Job
from spansieve.redact.rules.anchors import DIGITS
from spansieve.redact.rules.cache import WORTH
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.text import jsontext

_SHORT: Final = WORTH
"""Bytes behind an attribute's key, at most: so short a text is neither remembered nor searched string by string."""

_MOST_NUMBERS: Final = 8192


class Fresh:
    """Tells which attributes are clean at one look, by a policy that asks for no place and looks over no whole text."""

    def __init__(self, rules: CompiledRules) -> None:
        self._anchors = rules.anchors
        self._of_digits = None if rules.wholes else rules.shapes[DIGITS].of_digits
        self._ids = None if rules.wholes else Ids(rules.anchors.literals)
        self._numbers: set[bytes] = set()  # serialized values that identify nobody, under a key that says nothing

    def undecided(self, kind: Attributes, raws: Iterable[bytes], keys: Mapping[bytes, Key], job: Job) -> list[bytes]:
        """Hand those over to the job in which rules may find something; give those of which nothing can be said here.

        Raises MalformedRequest.
        """
        left, short, pieces = self._sorted(kind, raws, keys)
        if not pieces:
            return left
        texts = _decoded(pieces)
        try:
            hits = self._anchors.scan(texts)
        except Exception:  # noqa: BLE001 - whatever it is: nothing is known of any text, so each takes the longer road
            return left + short
        for index, places in hits.items():
            text = texts[index]
            if not self._is_clear(text, places):
                raw = short[index]
                job.text(kind, raw, keys[raw[: raw[1] + 2]], text, places)
        return left

    def _sorted(
        self, kind: Attributes, raws: Iterable[bytes], keys: Mapping[bytes, Key]
    ) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """Give those of which nothing can be said here, the short texts, and their texts' bytes."""
        left: list[bytes] = []
        short: list[bytes] = []
        pieces: list[bytes] = []
        numbers, add_wanted, ids = self._numbers, kind.wanted.add, self._ids
        for raw in raws:
            at = raw[1] + 2 if len(raw) > 1 else 0
            key = keys.get(raw[:at])
            size = len(raw) - at
            if key is None or key.tells or size > _SHORT:
                left.append(raw)
                continue
            if key.wanted:
                add_wanted(raw)
            prefix = PREFIXES[size]
            if raw.startswith(prefix, at):
                start = at + len(prefix)
                if size > SHORTEST and ids is not None and ids.has(raw, start):
                    continue
                short.append(raw)
                pieces.append(raw[start:])
            elif not key.silent or ((value := raw[at:]) not in numbers and not self._is_silent(value)):
                left.append(raw)
        return left, short, pieces

    def _is_silent(self, value: bytes) -> bool:
        """Whether a value, under a key that says nothing, is a number that identifies nobody."""
        if not attributes.is_silent_number(value):
            return False
        if len(self._numbers) < _MOST_NUMBERS:
            self._numbers.add(value)
        return True

    def _is_clear(self, text: str, places: Places) -> bool:
        """Whether all anchors of a text are numbers that no pattern matches."""
        of_digits = self._of_digits
        if of_digits is None or "\\" in text or jsontext.looks_like(text):
            return False
        for at, anchor in places:
            if anchor != DIGITS or (number := of_digits(text, at)) is None or number[2]:
                return False
        return True


def _decoded(pieces: list[bytes]) -> list[str]:
    """Decode texts, mostly all at once. Raises MalformedRequest."""
    try:
        texts = b"\0".join(pieces).decode().split("\0")
        return texts if len(texts) == len(pieces) else [piece.decode() for piece in pieces]
    except UnicodeDecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
