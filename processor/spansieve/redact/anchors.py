"""One cheap pass over all text of a request: where could anything be that a rule might match?

An anchor is a piece of text without which a rule cannot match. Most are literals such as `@` or `sk-`. A lower-case
literal is found in any case, one with capitals only as it is written. `^` before it asks that no letter or digit stands
in front, other than that of an escaped line end, `$` behind it that none follows, `#` for a digit within 64 bytes, and
`~` for a word that begins with a capital or a digit right before its space; `*` in it stands for one to eight bytes that
are no letters. Words that prose is full of, such as `road`, say nothing by themselves. The others are classes: `<digits>` (seven digits, with up to three separators
between two of them, a dotted quad, the head of an IBAN, or digits among letters as in national identifiers), `<groups>`
(hexadecimal digits between colons, dots or hyphens, as in IPv6 and MAC addresses) and `<base58>` (a long run of that
alphabet, as in wallets' addresses). Hits are a superset: the exact patterns decide, but only around hits.

All works on Latin-1, where a character is a byte and others are question marks. With Vectorscan one pass finds nearly
everything; without it, regexes do: much slower, and what they find leads to the same.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from spansieve.redact import fold, media, tokens, vectorscan
from spansieve.redact.vectorscan import Expression

DIGITS = 0
GROUPS = 1
BASE58 = 2
ESCAPE = 3  # of what may say something else than it shows, and so hide from every other anchor
ENCODED = 4  # of a run that may be a text, or a picture, in base64 or hexadecimal
KEY = 5  # a key before a quote, plain or escaped, for whose sake a rule may take the value: the text is walked as JSON
CONTEXT = 6  # a word beside which a number may count that is none by itself; told only where something else is
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS, "<base58>": BASE58}
_FIRST_LITERAL = 7
MARKS = "#^~"
"""What may stand before a literal anchor and is no part of it."""

LONGEST = 28  # bytes: seven digits with gaps
_NEAR = 64  # bytes

Place = tuple[int, int]
"""Where an anchor is: offset, anchor."""

Hits = dict[int, list[Place]]
"""Index of a text → (offset in characters of where the anchor is, anchor), in no particular order.

That of a literal and of `<base58>` is where it starts, that of `<digits>` and `<groups>` somewhere in the number."""

# What may stand between digits of one number; U+2010 to U+2014 and U+202F are question marks here.
_GAP = rb"[ ()./\-\xa0?]{0,3}"

_AMONG_LETTERS = (
    rb"[a-z]{4}[0-9](?:[0-9]{5}|[0-9]{3}[a-z]|[0-9][a-z][0-9]{2}[a-z])"  # ABCDE1234F
    rb"|[a-z]{2}[0-9]{2}[ \xa0?-]?[a-z]{4}"  # the head of an IBAN
    rb"|[a-z][a-z ][0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]"  # AB 12 34 56 C
)
# For Vectorscan: what begins with a digit costs little in prose, what begins with letters is best in one expression.
# Each with its class, and how many bytes before its end a character of the number is.
_SIGNS: tuple[tuple[bytes, int, int], ...] = (
    (rb"[0-9](?:" + _GAP + rb"[0-9]){6}[^0-9]", DIGITS, 2),
    (rb"[0-9](?:\.[0-9]{1,3}){3}[^0-9]", DIGITS, 2),
    (_AMONG_LETTERS, DIGITS, 1),
    (rb"[0-9]{6}[a-y+][0-9]{3}", DIGITS, 1),  # 131052A308T
    # An IPv6 address has a group beside `::`, or eight; a MAC address six.
    (rb"::[0-9a-f]{1,4}[^0-9a-z]", GROUPS, 2),
    (rb"(?:^|[^0-9a-z])[0-9a-f]{1,4}::[^0-9a-z]", GROUPS, 2),
    (rb"\.[0-9a-f]{4}\.[0-9a-f]{4}", GROUPS, 1),
    (rb"-[0-9a-f]{2}-[0-9a-f]{2}-", GROUPS, 2),
    # What is to be read otherwise: escapes, a number over a line's end, a Python dict.
    (rb"%[0-9a-f]{2}", ESCAPE, 1),
    (rb"&(?:#[0-9x]|[a-z]{2,31}[0-9]{0,2};)", ESCAPE, 1),
    (rb"\\[ux][0-9a-f{]", ESCAPE, 1),
    (rb"[0-9][-. )/]?\r?\n[ \t>]{0,4}[-.( /]?[0-9]", ESCAPE, 1),
    (rb"[0-9]\+[0-9]", ESCAPE, 1),
    (rb"\{'[a-z_]", ESCAPE, 1),
)

# The same for `re`, which finds a first byte at memory speed: in a copy of the text all digits are one and all letters
# small. A lookahead lets matches overlap. A digit of the number is where group 1 ends.
_SHAPE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000")
_SHAPES = tuple(
    (re.compile(expression), anchor)
    for expression, anchor in (
        (rb"0(?=((?:" + _GAP + rb"0){6})[^0])", DIGITS),
        (rb"0(?=((?:\.0{1,3}){3})[^0])", DIGITS),
        (rb"0(?<=[a-z]{2}0)(?=(0[ \xa0?-]?[a-z]{4}))", DIGITS),
        (rb"0(?<=[a-z]{4}0)(?=(0{5}|000[a-z]|0[a-z]00[a-z]))", DIGITS),
        (rb"0(?<=[a-z][a-z ]0)(?=(0 ?00 ?00 ?[a-d]))", DIGITS),
        (rb"0(?=(0{5}[a-y+]0{3}))", DIGITS),
        (rb":(?=(:[0a-f]{1,4})[^0a-z])", GROUPS),
        (rb"[0a-f](?<![0a-z].)(?=([0a-f]{0,3}::)[^0a-z])", GROUPS),
        (rb":(?=([0a-f]{1,4}:)(?:[0a-f]{1,4}:){2})", GROUPS),
        (rb"\.(?=([0a-f]{4}\.[0a-f]{4}))", GROUPS),
        (rb"-(?=([0a-f]{2}-[0a-f]{2})-)", GROUPS),
        (rb"%(?=([0a-f]{2}))", ESCAPE),
        (rb"&(?=(#[0x]|[a-z]{2,31}0{0,2};))", ESCAPE),
        (rb"\\(?=([ux][0a-f{]))", ESCAPE),
        (rb"0(?=([-. )/]?\r?\n[ \t>]{0,4}[-.( /]?0))", ESCAPE),
        (rb"\+(?<=0\+)(?=(0))", ESCAPE),
        (rb"\{(?=('[a-z_]))", ESCAPE),
    )
)
_GROUP = rb":[0-9a-f]{1,4}:"  # one of many, if others follow
_GROUPS_FOLLOW = re.compile(rb"(?:[0-9A-Fa-f]{1,4}:){2}")
_WORD_BEGINS = rb"(?:^|[^0-9A-Za-z]|\\[nrt])"
_GAP_MARK = "*"
_GAP_OF_WORDS = rb"[^A-Za-z\0]{1,8}"
_WORD_ENDS = rb"[^0-9A-Za-z]"
_ESCAPED = re.compile(rb"\\[nrtNRT]")
_KEY_ENDS = rb"\\{0,7}\"\s{0,8}[:,]"  # a comma in lists of pairs
_KEY_END = re.compile(_KEY_ENDS)
_DIGIT_AHEAD = re.compile(rb"[^\0]{0,%d}?[0-9]" % _NEAR)
_NO_DIGITS = bytes(code for code in range(256) if not 48 <= code < 58)
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NOT_BEFORE_AT = b'\0\t\n\r\x0b\x0c "/<>[\\]'  # which no account, user or password ends with
_FIRST_OF_NAMES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LONGEST_WORD = 32  # bytes
_SHORTEST_ADDRESS = 26
_ADDRESS = rb"[1348][0-9A-HJ-NP-Za-km-z]{%d}" % (_SHORTEST_ADDRESS - 1)
_BASE58 = re.compile(rb"(?<![0-9A-Za-z])" + _ADDRESS)
_IN_RUNS = (
    Expression(rb"(?:^|[^0-9A-Za-z])" + _ADDRESS, BASE58, exact=True),
    *(Expression(pattern, ENCODED, exact=True) for pattern in tokens.SAYS),
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal anchor, and what it asks for beside itself."""

    raw: bytes  # the longest piece of it without a gap
    sign: bytes  # all of it, as a pattern
    size: int  # bytes from where it is said to start to its end, a gap counted as one
    exact: bool  # its case counts
    word: bool  # a word begins with it
    ends: bool  # a word ends with it
    number: bool  # a digit is near
    named: bool  # a word with a capital, or a number, stands before it
    behind: bool  # something that may be a name's last character stands right before it

    @property
    def pattern(self) -> bytes:
        """All of it, and what has to be right beside it: one byte behind it when a word ends with it."""
        return (_WORD_BEGINS if self.word else b"") + self.sign + (_WORD_ENDS if self.ends else b"")

    @property
    def asks(self) -> bool:
        """Whether `holds` has anything to ask."""
        return self.number or self.named or self.behind

    def holds(self, buffer: bytes, at: int) -> bool:
        """Whether what stands before or near it, at a place where it starts, is what it asks for."""
        return (
            (not self.behind or (at > 0 and buffer[at - 1] not in _NOT_BEFORE_AT))
            and (not self.named or _named(buffer, at))
            and (not self.number or _digit_near(buffer, at, at + self.size))
        )


def literal(anchor: str) -> Literal:
    """Read an anchor as a policy writes it."""
    text = anchor.lstrip(MARKS)
    marks = anchor[: len(anchor) - len(text)]
    ends = len(text) > 1 and text.endswith("$")
    text = text[: len(text) - ends]
    pieces = [piece.encode("latin-1") for piece in text.split(_GAP_MARK) if piece]
    return Literal(
        raw=max(pieces, key=len, default=b""),
        sign=_GAP_OF_WORDS.join(map(re.escape, pieces)),
        size=sum(map(len, pieces)) + len(pieces) - 1,
        exact=text != text.lower(),
        word="^" in marks,
        ends=ends,
        number="#" in marks,
        named="~" in marks,
        behind=text == "@",
    )


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers them; the literals come after the classes."""

    ids: dict[str, int]
    literals: tuple[Literal | None, ...]  # by anchor; none for a class
    names: tuple[bytes, ...]  # of keys that tell
    words: tuple[bytes, ...]  # of context, or pieces of them
    native: vectorscan.Scanner | None
    in_runs: vectorscan.Scanner | None  # by the same

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next."""
        pieces, others = _encoded(texts)
        buffer = b"\0".join(pieces) + b"\0"
        found, words = self._shapes(buffer) if self.native is None else self._signs(buffer, self.native)
        found += _of_runs(buffer, self.in_runs)
        hits = _by_text(found, words, pieces) if found else {}
        for index in others:
            if odd := fold.odd(texts[index]):
                hits.setdefault(index, []).extend([(at, ESCAPE) for at in odd])
        return hits

    def _signs(self, buffer: bytes, native: vectorscan.Scanner) -> tuple[list[Place], list[Place]]:
        found: list[tuple[int, int]] = []
        words: list[tuple[int, int]] = []
        for (anchor, back, asks), end in native.scan(buffer):
            at = end - back
            if anchor == CONTEXT:
                words.append((at, CONTEXT))
            elif asks is None or asks(buffer, at):
                found.append((at, anchor))
        return found, words

    def _shapes(self, buffer: bytes) -> tuple[list[Place], list[Place]]:
        shape, lower = buffer.translate(_SHAPE), buffer.lower()
        found = [(m.end(1) - 1, anchor) for regex, anchor in _SHAPES for m in regex.finditer(shape)]
        for name in self.names:
            found += [
                (match.end() - 1, KEY) for at in _all(lower, name) if (match := _KEY_END.match(lower, at + len(name)))
            ]
        for anchor, each in enumerate(self.literals):
            if each is not None:
                places = _all_of(each, buffer if each.exact else lower)
                found += [(at, anchor) for at in places if not each.asks or each.holds(buffer, at)]
        return found, [(at, CONTEXT) for word in self.words for at in _all(lower, word) if _begins_word(buffer, at)]


def _encoded(texts: Sequence[str]) -> tuple[list[bytes], list[int]]:
    """Write texts in Latin-1, and say which of them have characters beyond ASCII."""
    pieces = [text.encode("latin-1", "replace") for text in texts]
    return pieces, [] if all(map(str.isascii, texts)) else [i for i, text in enumerate(texts) if not text.isascii()]


def _by_text(found: Iterable[Place], words: Iterable[Place], pieces: Sequence[bytes]) -> Hits:
    """Sort what was found in all texts by text. Words only where something else is."""
    if len(pieces) == 1:
        return {0: [*found, *words]}
    starts = list(accumulate(map((1).__add__, map(len, pieces)), initial=0))
    hits: Hits = {}
    start = end = -1
    here: list[Place] = []
    for at, anchor in found:
        if not start <= at < end:
            index = bisect_right(starts, at) - 1
            start, end = starts[index], starts[index + 1]
            here = hits.setdefault(index, [])
        here.append((at - start, anchor))
    for at, anchor in words:
        index = bisect_right(starts, at) - 1
        if index in hits:
            hits[index].append((at - starts[index], anchor))
    return hits


def _all(text: bytes, literal: bytes) -> Iterable[int]:
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + 1)


def _all_of(each: Literal, text: bytes) -> Iterable[int]:
    """Where a literal starts in a text, which is in small letters unless its case counts."""
    if len(each.raw) < each.size:
        return {match.end(1) - each.ends - each.size for match in _overlapping(each.pattern).finditer(text)}
    return (
        at
        for at in _all(text, each.raw)
        if (not each.word or _begins_word(text, at)) and not (each.ends and text[at + each.size] in _WORD)
    )


@cache
def _overlapping(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?=(" + pattern + b"))")


def _begins_word(buffer: bytes, at: int) -> bool:
    return at == 0 or buffer[at - 1] not in _WORD or (at > 1 and _ESCAPED.match(buffer, at - 2) is not None)


def _groups_follow(buffer: bytes, at: int) -> bool:
    """Whether two more groups of an address follow behind a colon."""
    return _GROUPS_FOLLOW.match(buffer, at + 1) is not None


def _named(buffer: bytes, at: int) -> bool:
    """Whether the word before a literal that begins with a space has a capital or a digit first."""
    space = buffer.rfind(b" ", at - _LONGEST_WORD if at > _LONGEST_WORD else 0, at)
    return space >= 0 and buffer[space + 1] in _FIRST_OF_NAMES


def _digit_near(buffer: bytes, start: int, end: int) -> bool:
    """Whether a digit is within 64 bytes of a literal, in the same text."""
    if not buffer[start - _NEAR if start > _NEAR else 0 : end + _NEAR + 1].translate(None, _NO_DIGITS):
        return False
    return (
        _DIGIT_AHEAD.match(buffer, end) is not None
        or _DIGIT_AHEAD.match(buffer[max(0, start - _NEAR - 1) : start][::-1]) is not None
    )


def _of_runs(buffer: bytes, native: vectorscan.Scanner | None) -> list[Place]:
    """Runs of base64's characters in which an address, a text or binary content may stand."""
    found: list[Place] = []
    short: list[tuple[int, int]] = []
    for start, end in tokens.runs(buffer):
        if end - start < media.SHORT and native is not None:
            short.append((start, end))
        else:
            if end - start >= media.SHORT or tokens.may_say(buffer, start, end):
                found.append((start, ENCODED))
            found += [(match.start(), BASE58) for match in _BASE58.finditer(buffer, start, end)]
    if native is not None and short:
        found += _of_short_runs(buffer, short, native)
    return found


def _of_short_runs(buffer: bytes, runs: Sequence[tuple[int, int]], native: vectorscan.Scanner) -> Iterator[Place]:
    """The same for runs that are too short for binary content, all in one pass."""
    joined = b"\0".join([buffer[start:end] for start, end in runs]) + b"\0"
    starts = list(accumulate((end - start + 1 for start, end in runs), initial=0))
    last = -1
    for anchor, end in native.scan(joined):
        index = bisect_right(starts, end - 1) - 1
        if anchor == BASE58:
            yield runs[index][0] + end - _SHORTEST_ADDRESS - starts[index], BASE58
        elif index != last:
            last = index
            yield runs[index][0], ENCODED


def build(
    literals: Iterable[str], keys: Iterable[str] = (), words: Iterable[str] = (), *, native: bool = True
) -> Anchors:
    """Make a scanner for these literals, for keys that end in one of these names in snake_case, and words of context.

    With `native`, Vectorscan does the work if it is installed.
    """
    wanted = sorted(set(literals))
    ids = {each: number for number, each in enumerate(wanted, _FIRST_LITERAL)} | CLASSES
    read: tuple[Literal | None, ...] = (None,) * _FIRST_LITERAL + tuple(map(literal, wanted))
    names = tuple(name.encode() for name in _shortest(keys))
    pieces = tuple(sorted({_FIRST_WORD.split(word.lower())[0].encode("latin-1", "replace") for word in words}))
    scanner = vectorscan.scanner(_expressions(read, names, pieces)) if native else None
    return Anchors(ids, read, names, pieces, scanner, vectorscan.scanner(_IN_RUNS) if native else None)


_FIRST_WORD = re.compile("[ _.-]+")


def _expressions(
    literals: Sequence[Literal | None], names: Iterable[bytes], words: Iterable[bytes]
) -> tuple[Expression, ...]:
    """All that Vectorscan is to look for. Each means an anchor, how far back it is, and whether to ask more."""
    found = [Expression(sign, (anchor, back, None)) for sign, anchor, back in _SIGNS]
    found.append(Expression(_GROUP, (GROUPS, 1, _groups_follow)))
    found += [Expression(re.escape(name) + _KEY_ENDS, (KEY, 1, None)) for name in names]
    found += [Expression(_WORD_BEGINS + re.escape(word), (CONTEXT, len(word), None)) for word in words]
    for anchor, each in enumerate(literals):
        if each is not None:
            meaning = anchor, each.size + each.ends, each.holds if each.asks else None
            found.append(Expression(each.pattern, meaning, exact=each.exact))
    return tuple(found)


def _shortest(names: Iterable[str]) -> list[str]:
    """Names as they end in snake_case, kebab-case or camelCase. `api_key` need not be tried where `key` is."""
    written = {name.lower().replace("_", gap) for name in names for gap in ("_", "-", "")} - {""}
    return [name for name in sorted(written) if not any(name != end and name.endswith(end) for end in written)]
