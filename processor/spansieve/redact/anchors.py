"""One cheap pass over all text of a request: where could anything be that a rule might match?

An anchor is a piece of text without which a rule cannot match: a literal such as `@` or `sk-`, or one of the classes
`<digits>` (seven digits, with up to three separators between two of them, a dotted quad, the head of an IBAN, or
digits among letters as in national identifiers) and `<groups>` (hexadecimal digits between colons, dots or hyphens, as
in IPv6 and MAC addresses). Hits are a superset: the exact patterns decide, but only around hits.

All works on UTF-8. Vectorscan tells where literals are, and which blocks of text hold anything of a class at all; only
in those do the regexes run that say where. Without Vectorscan, regexes do all of it: thirty times as slow, same hits.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spansieve.redact import vectorscan

DIGITS = 0
GROUPS = 1
ESCAPE = 2  # of what may say something else than it shows, and so hide from every other anchor
KEY = 3  # a key before a quote, plain or escaped, for whose sake a rule may take the value: the text is walked as JSON
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS}
_FIRST_LITERAL = 4
LONGEST = 28  # bytes: seven digits with gaps. A match of a rule starts before its anchor's end
_BLOCK = 4096  # bytes: a call of Vectorscan costs as much as 2 KiB of text

# Each regex starts with a literal byte, which `re` skips to in 0.3 ns a byte; to a class it takes 4 ns. So digits are
# made one digit, and backslashes quotes, in a copy of the text that is searched for classes.
_SHAPE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\\", b'abcdefghijklmnopqrstuvwxyz000000000"')
# What may stand between digits of one number: the bytes of U+00A0, U+2010 to U+2014 and U+202F are among them.
_GAP = rb"[ ()./\-\x80-\x94\xa0\xaf\xc2\xe2]{0,3}"
_DIGITS = re.compile(
    rb"0(?:(?:" + _GAP + rb"+0){6}"  # seven digits
    rb"|0{0,2}(?:\.0{1,3}){2}\.0"  # 1.2.3.4 has four
    rb"|(?<=[a-z]{2}0)0 ?[a-z]{4}"  # GB29 NWBK
    rb"|(?<=[a-z]{4}0)(?:0{5}|000[a-z]|0[a-z]00[a-z])"  # ABCDE1234F, and other identifiers that start with a name
    rb"|(?:(?<=[a-z]{2}0)|(?<=[a-z] 0))0 ?00 ?00 ?[a-d]"  # AB 12 34 56 C
    rb"|0{5}[a-y+]0{3}"  # 131052A308T
    rb")"
)
_GROUPS = tuple(
    map(re.compile, (rb":[0a-f]{0,4}:", rb"\.[0a-f]{4}\.[0a-f]{4}", rb"-(?<=[0a-f]{2}-)[0a-f]{2}-[0a-f]{2}-"))
)
# What may be read otherwise: escapes, a number over a line's end, a Python dict, a long run of base64's characters.
_ESCAPES = tuple(
    map(
        re.compile,
        (
            rb"%[0-9A-Fa-f]{2}",
            rb"&(?:#[0-9xX]|[A-Za-z]{2,31}[0-9]{0,2};)",
            rb"\\[uUx][0-9A-Fa-f{]",
            rb"\n(?:(?<=[0-9]\n)|(?<=[0-9][-. )/\r]\n)|(?<=[0-9][-. )/]\r\n))[ \t>]{0,4}[-.( /]?[0-9]",
            rb"\+(?<=[0-9]\+)[0-9]",
            rb"\{'[A-Za-z_]",
        ),
    )
)
_IN_RUNS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-"
_RUN = bytes(ord("a") if byte in _IN_RUNS else ord(" ") for byte in range(256))
_LONG = b"a" * 16
# The same for Vectorscan, which reads the text as it is and in any case, and does not look back. What is not a literal
# may say too much, never too little.
_BLOCK_SIGNS = {
    DIGITS: (
        rb"[0-9](?:" + _GAP + rb"[0-9]){6}",
        rb"[0-9](?:\.[0-9]{1,3}){3}",
        rb"[a-z]{2}[0-9]{2} ?[a-z]{4}",
        rb"[a-z]{4}[0-9](?:[0-9]{5}|[0-9]{3}[a-z]|[0-9][a-z][0-9]{2}[a-z])",
        rb"[a-z][a-z ][0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]",
        rb"[0-9]{6}[a-y+][0-9]{3}",
    ),
    GROUPS: (
        rb":[0-9a-f]{0,4}:",
        rb"\.[0-9a-f]{4}\.[0-9a-f]{4}",
        rb"[0-9a-f]{2}-[0-9a-f]{2}-[0-9a-f]{2}-",
    ),
    ESCAPE: (
        rb"%[0-9a-f]{2}",
        rb"&(?:#[0-9x]|[a-z]{2,31}[0-9]{0,2};)",
        rb"\\[ux][0-9a-f{]",
        rb"[0-9][-. )/]?\r?\n[ \t>]{0,4}[-.( /]?[0-9]",
        rb"[0-9]\+[0-9]",
        rb"\{'[a-z_]",
        rb"[a-z0-9+/_-]{16}",
    ),
}
_PIVOTS = "-_@%="  # rare enough in prose, frequent in keys: literals that have the same one share a regex

Hits = dict[int, list[tuple[int, int]]]
"""Index of a text → (offset in characters of where the anchor starts, anchor), in no particular order."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers the literals, after the classes."""

    ids: dict[str, int]
    literals: tuple[bytes, ...]  # by anchor; empty for a class
    combined: tuple[tuple[re.Pattern[bytes], tuple[tuple[int, int], ...]], ...]  # (anchor, its pivot) of each group
    plain: tuple[int, ...]  # the literals that are in none of these regexes
    keys: re.Pattern[bytes] | None
    native: vectorscan.Scanner | None

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next."""
        buffer, starts = _join(texts)
        if self.native is None:
            found = self._literals(buffer) + self._of_classes(buffer, _ALL_CLASSES)
        else:
            found = self._by_blocks(buffer, starts, self.native)
        if not found:
            return {}
        hits: Hits = {}
        if buffer.isascii():
            for position, anchor in found:
                index = bisect_right(starts, position) - 1
                hits.setdefault(index, []).append((position - starts[index], anchor))
            return hits
        found.sort()
        last, counted, offset = (
            -1,
            0,
            0,
        )  # in a text, characters are counted on from the hit before: once, not each time
        for position, anchor in found:
            index = bisect_right(starts, position) - 1
            if index != last:
                last, counted, offset = index, starts[index], 0
            offset += len(buffer[counted:position].decode("utf-8", "surrogatepass"))
            counted = position
            hits.setdefault(index, []).append((offset, anchor))
        return hits

    def _by_blocks(self, buffer: bytes, starts: list[int], native: vectorscan.Scanner) -> list[tuple[int, int]]:
        """Let Vectorscan look at whole texts of a few KiB together."""
        found: list[tuple[int, int]] = []
        literals = self.literals
        low, size, count = 0, len(buffer), len(starts)
        while low < size:
            following = bisect_left(starts, low + _BLOCK)
            high = starts[following] if following < count else size
            block = buffer[low:high]
            marks = native.scan(block)
            if marks:
                classes: set[int] = set()
                for anchor, end in marks:
                    if literal := literals[anchor]:
                        found.append((low + end - len(literal), anchor))
                    else:
                        classes.add(anchor)
                if classes:
                    found += [(low + at, anchor) for at, anchor in self._of_classes(block, classes)]
            low = high
        return found

    def _of_classes(self, text: bytes, classes: Iterable[int]) -> list[tuple[int, int]]:
        """Find what is no literal."""
        shape = text.translate(_SHAPE)
        found: list[tuple[int, int]] = []
        if DIGITS in classes:
            found += [(m.start(), DIGITS) for m in _DIGITS.finditer(shape)]
        if GROUPS in classes:
            for groups in _GROUPS:
                found += [(m.start(), GROUPS) for m in groups.finditer(shape)]
        if ESCAPE in classes:
            for escape in _ESCAPES:
                found += [(m.start(), ESCAPE) for m in escape.finditer(text)]
            runs = text.translate(_RUN)
            at = runs.find(_LONG)
            while at >= 0:
                found.append((at, ESCAPE))
                end = runs.find(b" ", at)
                at = runs.find(_LONG, end) if end >= 0 else -1
        if KEY in classes and self.keys is not None:
            found += [(m.start(), KEY) for m in self.keys.finditer(shape)]
        return found

    def _literals(self, text: bytes) -> list[tuple[int, int]]:
        """Find literals without Vectorscan."""
        found: list[tuple[int, int]] = []
        literals = self.literals
        shape, lower = text.translate(_SHAPE), text.lower()
        for regex, anchors in self.combined:
            for match in regex.finditer(shape):
                anchor, pivot = anchors[match.lastindex or 0]
                if lower.startswith(literals[anchor], match.start() - pivot):  # for in the shape all digits are one
                    found.append((match.start() - pivot, anchor))
        for anchor in self.plain:
            at = lower.find(literals[anchor])
            while at >= 0:
                found.append((at, anchor))
                at = lower.find(literals[anchor], at + 1)
        return found


_ALL_CLASSES = (DIGITS, GROUPS, ESCAPE, KEY)
_Member = tuple[bytes, int, int]  # a literal's shape, where its pivot is, its anchor


def build(literals: Iterable[str], keys: Iterable[str] = (), *, native: bool = True) -> Anchors:
    """Make a scanner for these literals, and for keys that end in one of these names in snake_case.

    With `native`, Vectorscan does the work if it is installed. The hits are the same.
    """
    wanted = sorted({literal.lower() for literal in literals})
    ids = {literal: number for number, literal in enumerate(wanted, _FIRST_LITERAL)} | CLASSES
    raw = (b"",) * _FIRST_LITERAL + tuple(literal.encode() for literal in wanted)
    by_pivot: dict[str, list[_Member]] = {}
    plain: list[int] = []
    for literal in wanted:
        at = max(map(literal.rfind, _PIVOTS))
        if at < 0:
            plain.append(ids[literal])
        else:
            by_pivot.setdefault(literal[at], []).append((literal.encode().translate(_SHAPE), at, ids[literal]))
    combined = []
    for pivot, members in by_pivot.items():
        for layer in _layers(members):
            pattern, order = _pivot_regex(pivot, layer)
            combined.append((re.compile(pattern), ((0, 0), *((anchor, at) for _, at, anchor in order))))
    names = _shortest(keys)
    scanner = None
    if native:
        signs = [(sign, anchor) for anchor, each in _BLOCK_SIGNS.items() for sign in each]
        signs += [(re.escape(name.encode()) + rb"[\"\\]", KEY) for name in names]
        texts = tuple((literal, anchor) for anchor, literal in enumerate(raw) if literal)
        scanner = vectorscan.scanner(tuple(signs), texts)
    return Anchors(ids, raw, tuple(combined), tuple(plain), _key_regex(names), scanner)


def _shortest(names: Iterable[str]) -> list[str]:
    """Names as they end in snake_case, kebab-case or camelCase. `api_key` need not be tried where `key` is."""
    written = {name.lower().replace("_", gap) for name in names for gap in ("_", "-", "")} - {""}
    return [name for name in sorted(written) if not any(name != end and name.endswith(end) for end in written)]


def _key_regex(names: Sequence[str]) -> re.Pattern[bytes] | None:
    """One regex over quotes, for what ends in one of these names; tried by their last byte."""
    if not names:
        return None
    branches: dict[bytes, list[bytes]] = {}
    for name in names:
        raw = name.encode().translate(_SHAPE)
        branches.setdefault(re.escape(raw[-1:]), []).append(b"(?<=" + re.escape(raw) + b'")')
    alternatives = [b"(?<=" + last + b'")(?:' + b"|".join(tests) + b")" for last, tests in branches.items()]
    return re.compile(b'"(?<=[' + b"".join(branches) + b']")(?:' + b"|".join(alternatives) + b")")


def _layers(members: Iterable[_Member]) -> list[list[_Member]]:
    """Literals with one pivot, apart where two could stand around the same one: a regex reports one at a place."""
    layers: list[list[_Member]] = []
    for member in members:
        for layer in layers:
            if not any(_agree(member, other) for other in layer):
                layer.append(member)
                break
        else:
            layers.append([member])
    return layers


def _agree(one: _Member, other: _Member) -> bool:
    """Whether two literals, laid over each other at their pivots, are the same where both are."""
    (a, at, _), (b, of, _) = one, other
    before, after = min(at, of), min(len(a) - at, len(b) - of)
    return a[at - before : at + after] == b[of - before : of + after]


def _pivot_regex(pivot: str, members: Iterable[_Member]) -> tuple[bytes, list[_Member]]:
    """One regex that starts with the pivot and looks around it; a group for each literal, which are given in order.

    The literals are tried by the byte before the pivot, so that few are tried at most places.
    """
    branches: dict[bytes, list[tuple[bytes, _Member]]] = {}
    for member in members:
        raw, at, _ = member
        behind, ahead = re.escape(raw[: at + 1]), re.escape(raw[at + 1 :])
        test = b"((?<=" + behind + b")" + (b"(?=" + ahead + b"))" if ahead else b")")
        branches.setdefault(raw[max(0, at - 1) : at], []).append((test, member))
    start = re.escape(pivot.encode())
    alternatives = [
        b"(?<=" + re.escape(before) + start + b")(?:" + b"|".join(test for test, _ in tests) + b")"
        for before, tests in branches.items()
    ]
    heads = b"".join(re.escape(before) for before in branches)
    guard = b"" if b"" in branches else b"(?<=[" + heads + b"]" + start + b")"
    order = [member for tests in branches.values() for _, member in tests]
    return start + guard + b"(?:" + b"|".join(alternatives) + b")", order


def _join(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """All texts as one buffer, a NUL after each but the last, and the offset of each in bytes."""
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
