"""One cheap pass over all text of a request: where could anything be that a rule might match?

An anchor is a piece of text without which a rule cannot match: a literal such as `@` or `sk-`, or one of the classes
`<digits>` (seven digits, with up to three separators between two of them, a dotted quad, or the head of an IBAN) and
`<groups>` (hexadecimal digits between colons, dots or hyphens, as in IPv6 and MAC addresses). Hits are a superset: the
exact patterns decide, but only around hits. Everything works on lower-cased UTF-8, so that a literal is found in any
case and the pass can be handed to another engine that reads bytes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DIGITS = 0
GROUPS = 1
ESCAPE = 2  # \uXXXX: text that JSON hides from every other anchor
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS, "<escape>": ESCAPE}

# What may stand between digits of one number: the bytes of U+00A0, U+2010 to U+2014 and U+202F are among them.
_GAP = rb"[ ()./\-\x80-\x94\xa0\xaf\xc2\xe2]{0,3}"
_DIGITS = (
    rb"(?<=[0-9])((?:" + _GAP + rb"[0-9]){6}"  # seven digits
    rb"|[0-9]{0,2}(?:\.[0-9]{1,3}){2}\.[0-9]"  # 1.2.3.4 has four
    rb"|(?<=[a-z]{2}[0-9])[0-9] ?[a-z]{4}"  # GB29 NWBK
    rb")"
)
# Patterns that start with a literal, which `re` skips to quickly; the MAC address with hyphens is among the pivots.
_GROUPS = (re.compile(rb":[0-9a-f]{0,4}:"), re.compile(rb"\.[0-9a-f]{4}\.[0-9a-f]{4}"))
_HYPHEN_GROUPS = rb"(?<=[0-9a-f]{2}-)([0-9a-f]{2}-[0-9a-f]{2}-)"
_PIVOTS = frozenset(b"-_@%=")  # rare enough in prose, frequent in keys: literals that have one share one regex

Hits = dict[int, list[tuple[int, int]]]
"""Index of a text → (offset in characters, anchor), in no particular order."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers the literals, after the classes."""

    ids: dict[str, int]
    pivoted: re.Pattern[bytes]
    pivoted_ids: tuple[int, ...]  # by number of the regex's group
    quoted: re.Pattern[bytes] | None
    quoted_ids: tuple[int, ...]
    plain: tuple[tuple[bytes, int], ...]

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next."""
        buffer, starts = _join(texts)
        found = self._find(buffer)
        if not found:
            return {}
        hits: Hits = {}
        ascii_only = buffer.isascii()
        for position, anchor in found:
            index = bisect_right(starts, position) - 1
            offset = position - starts[index]
            if not ascii_only and not texts[index].isascii():
                offset = len(buffer[starts[index] : position].decode("utf-8", "surrogatepass"))
            if index in hits:
                hits[index].append((offset, anchor))
            else:
                hits[index] = [(offset, anchor)]
        return hits

    def _find(self, buffer: bytes) -> list[tuple[int, int]]:
        ids = self.pivoted_ids
        # Group n of `pivoted` is empty for a literal, and stands behind its pivot; so start() is near enough.
        found = [(m.start(), ids[m.lastindex or 0]) for m in self.pivoted.finditer(buffer)]
        for groups in _GROUPS:
            found += [(m.start(), GROUPS) for m in groups.finditer(buffer)]
        for literal, anchor in self.plain:
            at = buffer.find(literal)
            while at >= 0:
                found.append((at, anchor))
                at = buffer.find(literal, at + len(literal))
        if self.quoted is not None and b'"' in buffer:
            ids = self.quoted_ids
            found += [(m.start(), ids[m.lastindex or 0]) for m in self.quoted.finditer(buffer)]
        return found


def build(literals: Iterable[str]) -> Anchors:
    """Make a scanner for these literals. A literal that ends in `"` is also found before an escaped quote (`\\"`)."""
    wanted = sorted({literal.lower() for literal in literals})
    ids = {literal: number for number, literal in enumerate(wanted, len(CLASSES))} | CLASSES
    quoted = [literal for literal in wanted if literal.endswith('"')]
    pivoted = [literal for literal in wanted if literal not in quoted and _PIVOTS & set(literal.encode())]
    plain = [literal for literal in wanted if literal not in quoted and literal not in pivoted]
    pivot_pattern, pivot_literals = _pivot_regex(pivoted)
    quoted_pattern, quoted_literals = _quoted_regex(quoted)
    return Anchors(
        ids=ids,
        pivoted=re.compile(pivot_pattern),
        pivoted_ids=(0, DIGITS, GROUPS, *(ids[literal] for literal in pivot_literals)),
        quoted=re.compile(quoted_pattern) if quoted else None,
        quoted_ids=(0, *(ids[literal] for literal in quoted_literals)),
        plain=((b"\\u", ESCAPE), *((literal.encode(), ids[literal]) for literal in plain)),
    )


def _pivot_regex(literals: Sequence[str]) -> tuple[bytes, list[str]]:
    """One regex that starts with a character class, which `re` skips to quickly: digits and the pivots of literals.

    Literals are grouped by pivot and the byte before it, so that few alternatives are tried at most hyphens. The
    longest literal of a group comes first: only one is reported at a place.
    """
    branches: dict[bytes, list[tuple[bytes, str]]] = {}
    for literal in sorted(literals, key=len, reverse=True):
        raw = literal.encode()
        at = next(i for i, byte in enumerate(raw) if byte in _PIVOTS)
        behind, ahead = re.escape(raw[: at + 1]), re.escape(raw[at + 1 :])
        test = b"((?<=" + behind + b")" + (b"(?=" + ahead + b"))" if ahead else b")")
        branches.setdefault(raw[max(0, at - 1) : at + 1], []).append((test, literal))
    order: list[str] = []
    alternatives = []
    for head, tests in branches.items():
        order += [literal for _, literal in tests]
        alternatives.append(b"(?<=" + re.escape(head) + b")(?:" + b"|".join(test for test, _ in tests) + b")")
    pivots = b"".join(re.escape(bytes([pivot])) for pivot in sorted(_PIVOTS))
    return b"[0-9" + pivots + b"](?:" + b"|".join([_DIGITS, _HYPHEN_GROUPS, *alternatives]) + b")", order


def _quoted_regex(literals: Sequence[str]) -> tuple[bytes, list[str]]:
    """One regex over quotes, plain or escaped, for words that end before them; grouped by the words' last byte."""
    branches: dict[str, list[str]] = {}
    for literal in sorted(literals, key=len, reverse=True):
        branches.setdefault(literal[-2], []).append(literal)
    order = [literal for branch in branches.values() for literal in branch]
    alternatives = [
        f'(?<={re.escape(last)}["\\\\])(?:' + "|".join(f'((?<={re.escape(word[:-1])}["\\\\]))' for word in words) + ")"
        for last, words in branches.items()
    ]
    return ('["\\\\](?:' + "|".join(alternatives) + ")").encode(), order


def _join(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """All texts as one lower-cased buffer, a NUL after each, and the offset of each in bytes."""
    joined = "\0".join(texts)
    starts: list[int] = []
    at = 0
    if joined.isascii():
        for text in texts:
            starts.append(at)
            at += len(text) + 1
        return joined.encode().lower(), starts
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    for piece in raw:
        starts.append(at)
        at += len(piece) + 1
    return b"\0".join(raw).lower(), starts
