"""One cheap pass over all text of a request: where could anything be that a rule might match?

An anchor is a piece of text without which a rule cannot match. Most are literals such as `@` or `sk-`, with marks for
what they ask for (see `literals`). The others are classes: `<digits>` (seven digits, with up to three separators
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
from itertools import accumulate, islice
from typing import Final

from spansieve.redact import fold, runs, vectorscan
from spansieve.redact.literals import Literal, all_of, literal
from spansieve.redact.vectorscan import Expression

DIGITS = 0
GROUPS = 1
BASE58 = 2
ESCAPE = 3  # of what may say something else than it shows, and so hide from every other anchor
ENCODED = 4  # of a run that may be a text, or a picture, in base64 or hexadecimal
KEY = 5  # a key before a quote, plain or escaped, for whose sake a rule may take the value: the text is walked as JSON
COLUMN = 6  # of where a table may have its head: its columns name what stands below them
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS, "<base58>": BASE58}
_FIRST_LITERAL = 7
LONGEST = 28  # bytes: seven digits with gaps

MOST_PLACES: Final = fold.MOST_ODD
"""Of one scan: a hundred megabytes. Texts that have more between them are searched one by one."""

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
    (rb"[a-z0-9]=40[a-z0-9-]+\.[a-z]", ESCAPE, 1),  # quoted-printable (RFC 2045, 6.7): an @, and a soft line end
    (rb"[a-z0-9@.]=\r?\n[ a-z0-9@.-]", ESCAPE, 1),
    (rb"\{'[a-z_]", ESCAPE, 1),
    (rb"\[[0-9][0-9;]{0,11}m", ESCAPE, 1),  # a colour; with [0-9;]{1,12} a scan would take three times as long
    (rb"\x1b\[[0-?]{0,12}[a-z]", ESCAPE, 1),
)

# What names of columns end with that say a person or a secret, and what follows in a head; other heads of tables.
_COLUMN = rb"(?:name|mail|phone|mobile|passw(?:or)?d|pwd|ssn|dob|birth|address|token|secret|number|cvv|pin|key)"
_HEADS = (
    _COLUMN + rb"(?:\"?[,;\t]\"?[a-z_]|[*`]{0,2} *\|)",
    _COLUMN + rb"\"? *\r?\n",
    rb"insert into",
    rb"</th>",
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
        (rb"=(?<=[a-z0]=)(?=(00[a-z0-]+\.[a-z]))", ESCAPE),
        (rb"=(?<=[a-z0@.]=)(?=(\r?\n)[ a-z0@.])", ESCAPE),
        (rb"\{(?=('[a-z_]))", ESCAPE),
        (rb"\[(?=(0[0;]{0,11}m))", ESCAPE),
        (rb"\x1b(?=(\[[0-?]{0,12}[a-z]))", ESCAPE),
        *((rb"(" + head + rb")", COLUMN) for head in _HEADS),
    )
)
_GROUP = rb":[0-9a-f]{1,4}:"  # one of many, if others follow
_GROUPS_FOLLOW = re.compile(rb"(?:[0-9A-Fa-f]{1,4}:){2}")
_KEY_ENDS = rb"\\{0,7}\"\s{0,8}[:,\]]"  # a comma in lists of pairs, a bracket in lists of names
_NAMES_AT_ONCE = 48  # in one expression: compiled in half the time, and found as fast
_KEY_END = re.compile(_KEY_ENDS)


class OverBudget(Exception):
    """A value costs more than the policy's limits, or our memory, allow."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers them; the literals come after the classes."""

    ids: dict[str, int]
    literals: tuple[Literal | None, ...]  # by anchor; none for a class
    names: tuple[bytes, ...]  # of keys that tell
    native: vectorscan.Scanner | None
    in_runs: vectorscan.Scanner | None  # by the same

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next.

        Raises OverBudget when there are more than MOST_PLACES.
        """
        if len(texts) == 1:
            buffer, odd = fold.latin(texts[0])
            buffer += b"\0"
        else:
            buffer, odd = fold.latin("\0".join((*texts, "")))
        found = self._shapes(buffer) if self.native is None else _signs(buffer, self.native)
        encoded, addresses = runs.find(buffer, self.in_runs)
        for places, anchor in ((encoded, ENCODED), (addresses, BASE58), (odd, ESCAPE)):
            if places:
                if len(found) + len(places) > MOST_PLACES:
                    raise OverBudget
                found += [(at, anchor) for at in places]
        if len(texts) == 1 or not found:
            return {0: found} if found else {}
        return _by_text(found, texts)

    def _shapes(self, buffer: bytes) -> list[Place]:
        shape, lower = buffer.translate(_SHAPE), buffer.lower()
        found = list(islice(self._in_shapes(buffer, shape, lower), MOST_PLACES + 1))
        if len(found) > MOST_PLACES:
            raise OverBudget
        return found

    def _in_shapes(self, buffer: bytes, shape: bytes, lower: bytes) -> Iterator[Place]:
        for regex, anchor in _SHAPES:
            for match in regex.finditer(shape):
                yield match.end(1) - 1, anchor
        for name in self.names:
            for at in all_of(lower, name):
                if key := _KEY_END.match(lower, at + len(name)):
                    yield key.end() - 1, KEY
        for anchor, each in enumerate(self.literals):
            if each is not None:
                for at in each.places(buffer if each.exact else lower):
                    if each.asks is None or each.asks(buffer, at):
                        yield at, anchor


def _signs(buffer: bytes, native: vectorscan.Scanner) -> list[Place]:
    found: list[Place] = []
    meanings, add = native.meanings, found.append

    def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
        anchor, back, asks = meanings[expression]
        if asks is None or asks(buffer, end - back):
            add((end - back, anchor))

    def note_some(expression: int, start: int, end: int, flags: int, context: object) -> None:
        note(expression, start, end, flags, context)
        if len(found) > MOST_PLACES:
            raise OverBudget

    native.tell(buffer, note if len(buffer) < MOST_PLACES else note_some)
    return found


def _by_text(found: Iterable[Place], texts: Sequence[str]) -> Hits:
    """Sort what was found in all texts by text."""
    starts = list(accumulate(map((1).__add__, map(len, texts)), initial=0))
    hits: Hits = {}
    start = end = -1
    here: list[Place] = []
    for at, anchor in found:
        if not start <= at < end:
            index = bisect_right(starts, at) - 1
            start, end = starts[index], starts[index + 1]
            here = hits.setdefault(index, [])
        here.append((at - start, anchor))
    return hits


def _groups_follow(buffer: bytes, at: int) -> bool:
    """Whether two more groups of an address follow behind a colon."""
    return _GROUPS_FOLLOW.match(buffer, at + 1) is not None


def build(literals: Iterable[str], keys: Iterable[str] = (), *, native: bool = True) -> Anchors:
    """Make a scanner for these literals, and for keys that end in one of these names in snake_case.

    With `native`, Vectorscan does the work if it is installed.
    """
    wanted = sorted(set(literals))
    ids = {each: number for number, each in enumerate(wanted, _FIRST_LITERAL)} | CLASSES
    read: tuple[Literal | None, ...] = (None,) * _FIRST_LITERAL + tuple(map(literal, wanted))
    names = tuple(name.encode() for name in _shortest(keys))
    scanner = vectorscan.scanner(_expressions(read, names)) if native else None
    return Anchors(ids, read, names, scanner, vectorscan.scanner(runs.EXPRESSIONS) if native else None)


def _expressions(literals: Sequence[Literal | None], names: Sequence[bytes]) -> tuple[Expression, ...]:
    """All that Vectorscan is to look for. Each means an anchor, how far back it is, and whether to ask more."""
    found = [Expression(sign, (anchor, back, None)) for sign, anchor, back in _SIGNS]
    found.append(Expression(_GROUP, (GROUPS, 1, _groups_follow)))
    found += [Expression(head, (COLUMN, 1, None)) for head in _HEADS]
    for first in range(0, len(names), _NAMES_AT_ONCE):
        any_name = b"|".join(map(re.escape, names[first : first + _NAMES_AT_ONCE]))
        found.append(Expression(b"(?:" + any_name + b")" + _KEY_ENDS, (KEY, 1, None)))
    for anchor, each in enumerate(literals):
        if each is not None:
            meaning = anchor, each.size + each.ends, each.asks
            pattern, exact = each.expression
            found.append(Expression(pattern, meaning, exact=exact))
    return tuple(found)


def _shortest(names: Iterable[str]) -> list[str]:
    """Names as they end in snake_case, kebab-case or camelCase. `api_key` need not be tried where `key` is."""
    written = {name.lower().replace("_", gap) for name in names for gap in ("_", "-", "")} - {""}
    return [name for name in sorted(written) if not any(name != end and name.endswith(end) for end in written)]
