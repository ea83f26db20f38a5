"""One cheap pass over all text of a request: where could anything be that a rule might match?

An anchor is a piece of text without which a rule cannot match. Most are literals such as `@` or `sk-`, with marks for
what they ask for (see `literals`). The others are classes: `<digits>` (seven digits, with up to three separators
between two of them, a dotted quad, the head of an IBAN, or digits among letters as in national identifiers), `<groups>`
(hexadecimal digits between colons, dots or hyphens, as in IPv6 and MAC addresses), `<base58>` (a long run of that
alphabet, as in wallets' addresses) and `<beyond>` (ASCII right behind letters of a script that is not Latin). Hits are
a superset: the exact patterns decide, but only around hits.

All works on Latin-1, where a character is a byte and others are question marks. With Vectorscan one pass finds nearly
everything; without it, regexes do: much slower, and what they find leads to the same. Each literal makes that pass
slower, whether it is there or not. So two kinds have databases of their own, which are seldom asked: what keys of
services begin with (see `near`), and the names of keys in JSON, where there is no quote that may end one.
"""

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from types import MappingProxyType
from typing import Final

from spansieve.redact.rules import near, runs, vectorscan
from spansieve.redact.rules.literals import Literal, Need, all_of, literal
from spansieve.redact.rules.vectorscan import Expression
from spansieve.redact.text import fold, tokens

DIGITS = 0
GROUPS = 1
BASE58 = 2
ESCAPE = 3  # of what may say something else than it shows, and so hide from every other anchor
ENCODED = 4  # of a run that may be a text, or a picture, in base64 or hexadecimal
_QUOTE = -1  # the first quote behind which the name of a key may end: no anchor
KEY = 5  # a key before a quote, plain or escaped, for whose sake a rule may take the value: the text is walked as JSON
COLUMN = 6  # of where a table may have its head: its columns name what stands below them
BEYOND = 7
CLASSES = {"<digits>": DIGITS, "<groups>": GROUPS, "<base58>": BASE58, "<beyond>": BEYOND}
_FIRST_LITERAL = 8
LONGEST = 28  # bytes: seven digits with gaps

MOST_PLACES: Final = fold.MOST_ODD
"""Of one scan: a hundred megabytes. Texts that have more between them are searched one by one."""

Place = tuple[int, int]
"""Where an anchor is: offset, anchor."""

Hits = dict[int, list[Place]]
"""Index of a text → (offset in characters of where the anchor is, anchor), in no particular order.

That of a literal, of `<base58>` and `<beyond>` is where it starts, that of `<digits>` and `<groups>` somewhere in the
number."""

# What may stand between digits of one number; U+2010 to U+2014 and U+202F are question marks here.
_GAP = rb"[ ()./\-\xa0?]{0,3}"

_AMONG_LETTERS = (
    rb"[a-z]{4}[0-9](?:[0-9]{5}|[0-9]{3}[a-z]|[0-9][a-z][0-9]{2}[a-z])"  # ABCDE1234F
    rb"|[a-z]{2}[0-9]{2}[ \xa0?-]?[a-z]{4}"  # the head of an IBAN
    rb"|[a-z][a-z ][0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]"  # AB 12 34 56 C
)
# What is beyond Latin-1, and may stand between it and a value: a space, a sign that the value follows, a quote.
_OTHER_SCRIPT = rb"\?\? ?(?:[:=?] ?)?[\"'`]?"
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
    (_OTHER_SCRIPT + rb"[0-9a-z!#$%&@_+]", BEYOND, 1),
)

# What names of columns end with that say a person or a secret, and what follows in a head; other heads of tables.
_COLUMN = rb"(?:name|mail|phone|mobile|passw(?:or)?d|pwd|ssn|dob|birth|address|token|secret|number|cvv|pin|key)"
_HEADS = (
    _COLUMN + rb"(?:\"?[,;\t]\"?[a-z_]|[*`]{0,2} *\||  | \?)",  # a bar that is drawn is beyond Latin-1
    rb"(?:mail|phone|mobile|passw(?:or)?d|pwd|ssn|dob|cvv|_name|_token|_key|_number)\"? *\r?\n",
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
        (rb"\?(?=(" + _OTHER_SCRIPT[2:] + rb"[0a-z!#$%&@_+]))", BEYOND),
        *((rb"(" + head + rb")", COLUMN) for head in _HEADS),
    )
)
_UNKNOWN = ord("?")  # any character beyond Latin-1
_FAR = 2048  # bytes of a line
_GROUP = rb":[0-9a-f]{1,4}:"  # one of many, if others follow
_GROUPS_FOLLOW = re.compile(rb"(?:[0-9A-Fa-f]{1,4}:){2}")
_MOST_ESCAPED = 7  # backslashes before a quote
_QUOTE_ENDS = rb"\"\s{0,8}[:,\]]"  # a comma in lists of pairs, a bracket in lists of names
_KEY_ENDS = rb"\\{0,%d}" % _MOST_ESCAPED + _QUOTE_ENDS
_LONGEST_END = 10  # bytes, from the quote on
_NAMES_AT_ONCE = 48  # in one expression: compiled in half the time, and found as fast
_KEY_END = re.compile(_KEY_ENDS)
_QUOTE_END = re.compile(_QUOTE_ENDS)


class OverBudget(Exception):
    """A value costs more than the policy's limits, or our memory, allow."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one policy, ready to scan. `ids` numbers them; the literals come after the classes."""

    ids: dict[str, int]
    literals: tuple[Literal | None, ...]  # by anchor; none for a class
    names: tuple[bytes, ...]  # of keys that tell
    longest_name: int  # bytes of one of them at most, with what escapes the quote behind it
    before_runs: tuple[int, ...]  # the literals that are looked for before long runs, and in them
    longest: int  # bytes that one of those has at most
    native: vectorscan.Scanner | None
    of_keys: vectorscan.Scanner | None  # of the same kind, as are those that follow
    of_near: vectorscan.Scanner | None
    in_runs: vectorscan.Scanner | None

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find all anchors in all texts. Linear in the size of the texts; anchors do not cross from one to the next.

        Raises OverBudget when there are more than MOST_PLACES.
        """
        if len(texts) == 1:
            buffer, odd = fold.latin(texts[0])
            buffer += b"\0"
        else:
            buffer, odd = fold.latin("\0".join((*texts, "")))
        found, quote = self._shapes(buffer) if self.native is None else _signs(buffer, self.native)
        more = [(odd, ESCAPE)] if odd else []
        if self.names and quote is not None:
            more.append((self._keys(buffer, quote), KEY))
        if long := tokens.runs(buffer):
            encoded, addresses = runs.find(buffer, long, self.in_runs)
            more += (encoded, ENCODED), (addresses, BASE58)
            found += self._near(near.Excerpt(buffer, near.windows(len(buffer), long, self.longest)))
        for places, anchor in more:
            if len(found) + len(places) > MOST_PLACES:
                raise OverBudget
            found += [(at, anchor) for at in places]
        if len(texts) == 1 or not found:
            return {0: found} if found else {}
        return _by_text(found, texts)

    def _shapes(self, buffer: bytes) -> tuple[list[Place], int | None]:
        quote = _QUOTE_END.search(buffer)
        return _counted(self._in_shapes(buffer)), None if quote is None else quote.start()

    def _in_shapes(self, buffer: bytes) -> Iterator[Place]:
        shape, lower = buffer.translate(_SHAPE), buffer.lower()
        for regex, anchor in _SHAPES:
            for match in regex.finditer(shape):
                at = match.end(1) - 1
                if anchor != COLUMN or _may_be_drawn(buffer, at):
                    yield at, anchor
        everywhere = set(self.ids.values()).difference(CLASSES.values(), self.before_runs)
        yield from self._literals(everywhere, buffer, lower)

    def _literals(self, wanted: Iterable[int], buffer: bytes, lower: bytes) -> Iterator[Place]:
        for anchor in wanted:
            each = self.literals[anchor]
            if each is not None:
                for at in each.places(buffer if each.exact else lower):
                    if each.asks is None or each.asks(buffer, at):
                        yield at, anchor

    def _keys(self, buffer: bytes, quote: int) -> list[int]:
        """Give where keys end, from the first quote on that may end one."""
        low, high = max(0, quote - self.longest_name), buffer.rfind(b'"') + _LONGEST_END
        if self.of_keys is not None:
            return [low + at for at, _ in _signs(buffer[low:high], self.of_keys)[0]]
        lower = buffer[low:high].lower()
        ends = (_KEY_END.match(lower, at + len(name)) for name in self.names for at in all_of(lower, name))
        return [low + at for at, _ in _counted((end.end() - 1, KEY) for end in ends if end)]

    def _near(self, excerpt: near.Excerpt) -> list[Place]:
        """Give where those literals are that are looked for in an excerpt only."""
        if not self.before_runs:
            return []
        cut = excerpt.buffer
        found = (
            _signs(cut, self.of_near)[0]
            if self.of_near
            else _counted(self._literals(self.before_runs, cut, cut.lower()))
        )
        return [(excerpt.at(at), anchor) for at, anchor in found]


def _counted(found: Iterable[Place]) -> list[Place]:
    places = list(islice(found, MOST_PLACES + 1))
    if len(places) > MOST_PLACES:
        raise OverBudget
    return places


def _signs(buffer: bytes, native: vectorscan.Scanner) -> tuple[list[Place], int | None]:
    """Give what Vectorscan finds, and where the first quote stands that may end a key."""
    found: list[Place] = []
    quote: int | None = None
    meanings, add = native.meanings, found.append

    def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
        nonlocal quote
        anchor, back, asks = meanings[expression]
        if anchor < 0:
            quote = end - back
        elif asks is None or asks(buffer, end - back):
            add((end - back, anchor))

    def note_some(expression: int, start: int, end: int, flags: int, context: object) -> None:
        note(expression, start, end, flags, context)
        if len(found) > MOST_PLACES:
            raise OverBudget

    native.tell(buffer, note if len(buffer) < MOST_PLACES else note_some)
    return found, quote


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


def _may_be_drawn(buffer: bytes, at: int) -> bool:
    """Whether what ends the sign of a head is no dash of prose: where that is no ASCII, the next line has more."""
    if buffer[at] != _UNKNOWN:
        return True
    begin = buffer.find(b"\n", at, at + _FAR) + 1
    if not begin:
        return False
    end = buffer.find(b"\n", begin, begin + _FAR)
    return buffer.find(_UNKNOWN, begin, begin + _FAR if end < 0 else end) >= 0


def _groups_follow(buffer: bytes, at: int) -> bool:
    """Whether two more groups of an address follow behind a colon."""
    return _GROUPS_FOLLOW.match(buffer, at + 1) is not None


def build(
    literals: Iterable[str],
    keys: Iterable[str] = (),
    *,
    before_runs: Container[str] = (),
    needs: Mapping[str, tuple[Need, ...]] = MappingProxyType({}),
    native: bool = True,
) -> Anchors:
    """Make a scanner for these literals, and for keys that end in one of these names in snake_case.

    All that matches at those in `before_runs` begins with them, and has a long run (see `tokens`) that starts
    near.LONGEST_HEAD characters later or sooner. At the others those in `needs` say nothing unless one of the latter is
    near. With `native`, Vectorscan does the work if it is installed.
    """
    wanted = sorted(set(literals))
    ids = {each: number for number, each in enumerate(wanted, _FIRST_LITERAL)} | CLASSES
    plain = {each: literal(each) for each in wanted}
    before = {ids[each] for each in wanted if each in before_runs and plain[each].asks is None}
    read: tuple[Literal | None, ...] = (None,) * _FIRST_LITERAL + tuple(
        plain[each] if ids[each] in before else replace(plain[each], needs=needs.get(each, ())) for each in wanted
    )
    names = tuple(name.encode("latin-1", "replace") for name in _shortest(keys))
    scanner = vectorscan.scanner if native else _no_scanner
    return Anchors(
        ids=ids,
        literals=read,
        names=names,
        longest_name=max(map(len, names), default=0) + _MOST_ESCAPED,
        before_runs=tuple(sorted(before)),
        longest=max((len(each.raw) for anchor, each in enumerate(read) if anchor in before and each), default=0),
        native=scanner((*_of_signs(), *_of_literals(read, set(ids.values()) - before))),
        of_keys=scanner(tuple(_of_names(names))) if names else None,
        of_near=scanner(tuple(_of_literals(read, before))) if before else None,
        in_runs=scanner(runs.EXPRESSIONS),
    )


def _no_scanner(_: Iterable[Expression]) -> None:
    return None


# What Vectorscan is to look for means an anchor, how far back from its end it is, and whether to ask more.


def _of_signs() -> Iterator[Expression]:
    yield from (Expression(sign, (anchor, back, None)) for sign, anchor, back in _SIGNS)
    yield Expression(_GROUP, (GROUPS, 1, _groups_follow))
    yield from (Expression(head, (COLUMN, 1, _may_be_drawn)) for head in _HEADS)
    yield Expression(_QUOTE_ENDS, (_QUOTE, _LONGEST_END, None), once=True)


def _of_names(names: Sequence[bytes]) -> Iterator[Expression]:
    for first in range(0, len(names), _NAMES_AT_ONCE):
        any_name = b"|".join(map(re.escape, names[first : first + _NAMES_AT_ONCE]))
        yield Expression(b"(?:" + any_name + b")" + _KEY_ENDS, (KEY, 1, None))


def _of_literals(literals: Sequence[Literal | None], wanted: Container[int]) -> Iterator[Expression]:
    for anchor, each in enumerate(literals):
        if each is not None and anchor in wanted:
            pattern, exact = each.expression
            yield Expression(pattern, (anchor, each.size + each.ends, each.asks), exact=exact)


def _shortest(names: Iterable[str]) -> list[str]:
    """Names as they end in snake_case, kebab-case or camelCase. `api_key` need not be tried where `key` is."""
    written = {name.lower().replace("_", gap) for name in names for gap in ("_", "-", "")} - {""}
    return [name for name in sorted(written) if written.isdisjoint(name[at:] for at in range(1, len(name)))]
