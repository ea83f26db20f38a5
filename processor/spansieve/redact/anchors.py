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
KEY = 3  # a key before a quote, plain or escaped, for whose sake a rule may take the value: the text is walked as JSON
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS}
_FIRST_LITERAL = 4

# Each pattern starts with a literal byte, which `re` skips to in 0.3 ns a byte; to a class it takes 4 ns. So digits are
# made one digit, and backslashes quotes, in a copy of the text that is searched for shapes.
_SHAPE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\\", b'abcdefghijklmnopqrstuvwxyz000000000"')
# What may stand between digits of one number: the bytes of U+00A0, U+2010 to U+2014 and U+202F are among them.
_GAP = rb"[ ()./\-\x80-\x94\xa0\xaf\xc2\xe2]{0,3}+"
_DIGITS = re.compile(
    rb"0(?:(?:" + _GAP + rb"0){6}"  # seven digits
    rb"|0{0,2}(?:\.0{1,3}){2}\.0"  # 1.2.3.4 has four
    rb"|(?<=[a-z]{2}0)0 ?[a-z]{4}"  # GB29 NWBK
    rb")"
)
_GROUPS = tuple(
    map(re.compile, (rb":[0a-f]{0,4}:", rb"\.[0a-f]{4}\.[0a-f]{4}", rb"-(?<=[0a-f]{2}-)[0a-f]{2}-[0a-f]{2}-"))
)
_PIVOTS = "-_@%="  # rare enough in prose, frequent in keys: literals that have the same one share a regex

Hits = dict[int, list[tuple[int, int]]]
"""Index of a text → (offset in characters, anchor), in no particular order."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers the literals, after the classes."""

    ids: dict[str, int]
    combined: tuple[tuple[re.Pattern[bytes], tuple[int, ...]], ...]  # with the anchor of each group of the regex
    keys: re.Pattern[bytes] | None
    plain: tuple[tuple[bytes, int], ...]

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next."""
        buffer, starts = _join(texts)
        found = self._find(buffer.lower(), buffer.translate(_SHAPE))
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

    def _find(self, lower: bytes, shape: bytes) -> list[tuple[int, int]]:
        found = [(m.start(), DIGITS) for m in _DIGITS.finditer(shape)]
        for groups in _GROUPS:
            found += [(m.start(), GROUPS) for m in groups.finditer(shape)]
        for regex, anchors in self.combined:
            found += [(m.start(), anchors[m.lastindex or 0]) for m in regex.finditer(shape)]
        if self.keys is not None:
            found += [(m.start(), KEY) for m in self.keys.finditer(shape)]
        for literal, anchor in self.plain:
            at = lower.find(literal)
            while at >= 0:
                found.append((at, anchor))
                at = lower.find(literal, at + len(literal))
        if b"\\" in lower:
            found += [(m.start(), ESCAPE) for m in _ESCAPE.finditer(lower)]
        return found


_ESCAPE = re.compile(rb"\\u")


def build(literals: Iterable[str], keys: Iterable[str] = ()) -> Anchors:
    """Make a scanner for these literals, and for keys that end in one of these names in snake_case."""
    wanted = sorted({literal.lower() for literal in literals})
    ids = {literal: number for number, literal in enumerate(wanted, _FIRST_LITERAL)} | CLASSES
    by_pivot: dict[str, list[tuple[str, int]]] = {}  # the literal, and where its pivot is
    plain: list[str] = []
    for literal in wanted:
        at = max(map(literal.rfind, _PIVOTS))
        if at < 0:
            plain.append(literal)
        else:
            by_pivot.setdefault(literal[at], []).append((literal, at))
    combined = []
    for pivot, members in by_pivot.items():
        pattern, order = _pivot_regex(pivot, members)
        combined.append((re.compile(pattern), (0, *(ids[literal] for literal in order))))
    return Anchors(ids, tuple(combined), _key_regex(keys), tuple((literal.encode(), ids[literal]) for literal in plain))


def _key_regex(names: Iterable[str]) -> re.Pattern[bytes] | None:
    """One regex over quotes, for names as they end in snake_case, kebab-case or camelCase; tried by their last byte."""
    written = {name.lower().replace("_", gap) for name in names for gap in ("_", "-", "")}
    # `api_key` need not be tried where `key` is.
    shortest = [name for name in sorted(written) if not any(name != end and name.endswith(end) for end in written)]
    if not shortest:
        return None
    branches: dict[bytes, list[bytes]] = {}
    for name in shortest:
        raw = re.escape(name.encode().translate(_SHAPE))
        branches.setdefault(raw[-1:], []).append(b"(?<=" + raw + b'")')
    alternatives = [b"(?<=" + last + b'")(?:' + b"|".join(tests) + b")" for last, tests in branches.items()]
    return re.compile(b'"(?<=[' + b"".join(branches) + b']")(?:' + b"|".join(alternatives) + b")")


def _pivot_regex(pivot: str, members: Sequence[tuple[str, int]]) -> tuple[bytes, list[str]]:
    """One regex that starts with the pivot and looks around it; a group for each literal, which are given in order.

    The literals are tried by the byte before the pivot, so that few are tried at most places; the longest first, since
    only one is reported at a place.
    """
    branches: dict[bytes, list[tuple[bytes, str]]] = {}
    for literal, at in sorted(members, key=lambda member: -len(member[0])):
        raw = literal.encode().translate(_SHAPE)
        behind, ahead = re.escape(raw[: at + 1]), re.escape(raw[at + 1 :])
        test = b"((?<=" + behind + b")" + (b"(?=" + ahead + b"))" if ahead else b")")
        branches.setdefault(raw[max(0, at - 1) : at], []).append((test, literal))
    start = re.escape(pivot.encode())
    alternatives = [
        b"(?<=" + re.escape(before) + start + b")(?:" + b"|".join(test for test, _ in tests) + b")"
        for before, tests in branches.items()
    ]
    heads = b"".join(re.escape(before) for before in branches)
    guard = b"" if b"" in branches else b"(?<=[" + heads + b"]" + start + b")"
    order = [literal for tests in branches.values() for _, literal in tests]
    return start + guard + b"(?:" + b"|".join(alternatives) + b")", order


def _join(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """All texts as one buffer, a NUL after each, and the offset of each in bytes."""
    joined = "\0".join(texts)
    starts: list[int] = []
    at = 0
    if joined.isascii():
        for text in texts:
            starts.append(at)
            at += len(text) + 1
        return joined.encode(), starts
    raw = [text.encode("utf-8", "surrogatepass") for text in texts]
    for piece in raw:
        starts.append(at)
        at += len(piece) + 1
    return b"\0".join(raw), starts
