"""A JSON text before and after the one scan of a request: what is known is not even parsed, of the rest strings count.

A conversation sends all its messages again each turn. So a list of objects is cut into pieces, each of which is asked
for in the memory by its digest; the strings of those that are not known are looked at as texts of their own, and the
results spliced in. Where two pieces meet, a value may be split over them: of each meeting, too, the memory knows when
there is nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from spansieve.redact import carried, fold, parsed, parts, persons
from spansieve.redact.cache import NOTHING, WORTH, Ends, Known
from spansieve.redact.compiled import NO_FACTS, CompiledRules
from spansieve.redact.cuts import Cut, cut
from spansieve.redact.flat import Meeting
from spansieve.redact.matching import Places
from spansieve.redact.parsed import Strings

_MOST_OPEN: Final = 64  # pieces that a value may be split over
_LONG_NUMBER: Final = 7  # characters
_MOST_NAMES: Final = 64
_NONE: Final[AbstractSet[str]] = frozenset()


class Worker(Protocol):
    """Who redacts texts, and counts in `findings` by rule."""

    findings: Counter[str]

    def search(self, text: str) -> Places:
        """Where the anchors of a text are."""

    def string(self, text: str, key: str, where: int, places: Places, depth: int, digest: bytes | None) -> str:
        """Redact a string; under its digest, what became of it is remembered."""

    def by_tokens(self, text: str, where: int, places: Places, depth: int) -> str:
        """Redact JSON token by token."""

    def together(self, texts: Sequence[str], key: str, where: int) -> list[str] | None:
        """Redact what is split over texts of which one continues the other. None when there is nothing."""

    def again(self, old: str, new: str, where: int) -> str:
        """Redact what is split over the strings of a JSON text, which is given as it came and as it is by now."""

    def any_split(self, meetings: Sequence[Meeting], where: int) -> bool:
        """Whether anything is split over texts that meet."""


class Piece:
    """JSON that is an object of a list, several of them, or a whole text, and is not known.

    `new`, `found` and `ends` are there once it was redacted. `strings` are None when it is to be read token by token;
    else `numbers` are those of its strings that are looked at, some of which are `settled`, and some others, long ones,
    named by `digests`. All that stands under `telling` keys is looked at.
    """

    __slots__ = ("digest", "digests", "known", "new", "numbers", "settled", "strings", "telling", "text", "wrapped")

    def __init__(self, text: str, digest: bytes | None, *, wrapped: bool) -> None:
        self.text = self.new = text
        self.wrapped = wrapped  # its brackets are left out of both
        self.digest = digest
        self.known: Known | None = None  # what became of it, once it was redacted
        self.strings: Strings | None = None
        self.numbers: Sequence[int] = ()
        self.settled: dict[int, Known] = {}
        self.digests: dict[int, bytes] = {}
        self.telling: AbstractSet[str] = _NONE

    def texts(self) -> Iterator[str]:
        """What is to be searched for anchors."""
        if self.strings is None:
            yield self.json(self.text)
            return
        texts, settled = self.strings.texts, self.settled
        for number in self.numbers:
            yield "" if number in settled else texts[number]
        for value, _ in self.strings.numbers:
            yield str(value)

    def json(self, text: str) -> str:
        """This text of the piece as JSON."""
        return f"[{text}]" if self.wrapped else text

    def going_on(self) -> dict[str, list[str]]:
        """The strings that another piece may continue, as they are once it is redacted: by key, and in order."""
        strings = self.strings
        if strings is not None:
            return carried.by_key(strings.keys, strings.texts)
        return carried.read(self.json(self.text), self.json(self.new))


class Body:
    """A JSON text in its pieces, of which some may be known: `texts` are to be searched for anchors, together."""

    __slots__ = ("_around", "_cut", "_depth", "_known", "_names", "_pieces", "_rules", "_where", "texts")

    def __init__(self, rules: CompiledRules, where: int, depth: int) -> None:
        self.texts: list[str] = []
        self._rules = rules
        self._where = where
        self._depth = depth
        self._around: dict[str, bytes] = {}  # by key: what else the redaction of its strings depends on
        self._cut: Cut | None = None
        self._names: list[bytes] = []  # the pieces' digests
        self._known: list[Known | Piece] = []  # what became of them, or is to
        self._pieces: list[str] = []

    def cut_up(self, cut: Cut) -> None:
        """Take the pieces of a list. Raises ValueError when one is no JSON."""
        cache, known_of = self._rules.cache, self._known
        self._cut, self._pieces = cut, cut.pieces
        raws = [text.encode() for text in cut.pieces]
        self._names = cache.digests(raws, cache.around("piece", self._where, self._depth))
        fresh: dict[bytes, Piece] = {}
        for text, raw, name in zip(cut.pieces, raws, self._names, strict=True):
            known = cache.get(name) or fresh.get(name)
            if known is None:
                known = fresh[name] = self._piece(text, b"[%b]" % raw, "", name, wrapped=True)
                self.texts += known.texts()
            known_of.append(known)

    def whole(self, text: str, key: str) -> bool:
        """Take the text as one piece. False when it is to be read by tokens; raises ValueError when it is no JSON."""
        cache, name, raw = self._rules.cache, None, text.encode()
        self._pieces = [text]
        if len(text) >= WORTH:
            (name,) = cache.digests((raw,), around("whole", key, self._where, self._depth, self._rules))
            if (known := cache.get(name)) is not None:
                self._known = [known]
                return True
        piece = self._piece(text, raw, key, name, wrapped=False)
        self._known = [piece]
        self.texts = list(piece.texts())
        return piece.strings is not None

    def _piece(self, text: str, raw: bytes, key: str, name: bytes | None, *, wrapped: bool) -> Piece:
        """Read a piece. Raises ValueError when it is no JSON."""
        rules, where = self._rules, self._where
        piece = Piece(text, name, wrapped=wrapped)
        strings = parsed.read(raw, key)
        if strings is None:
            return piece
        keys, unknown = strings.keys, strings.names
        if not rules.selective:
            unknown = unknown - rules.cache.keys
        if len(unknown) > _MOST_NAMES:  # keys made of data: to ask what each says costs more than to search the text
            return piece
        if unknown:
            piece.telling = {each for each in unknown if rules.facts(fold.word(each), where).whole}
            texts = strings.texts
            piece.numbers = [number for number, each in enumerate(keys) if each is not None or texts[number] in unknown]
        else:
            piece.numbers = [number for number, each in enumerate(keys) if each is not None]
        if strings.numbers:
            if any(key in piece.telling for _, key in strings.numbers):
                return piece
            strings.numbers = [number for number in strings.numbers if len(str(number[0])) >= _LONG_NUMBER]
        if persons.may_name(strings.names):
            return piece
        piece.strings = strings
        self._recall(piece, strings)
        return piece

    def _recall(self, piece: Piece, strings: Strings) -> None:
        """Ask what is known of the long strings of a piece."""
        cache, texts, keys, known_around = self._rules.cache, strings.texts, strings.keys, self._around
        for number in piece.numbers:
            if len(text := texts[number]) >= WORTH:
                key = keys[number] or ""
                if key not in known_around:
                    known_around[key] = around("text", key, self._where, self._depth + 1, self._rules)
                digest = cache.digest(text, known_around[key])
                known = cache.get(digest)
                if known is None:
                    piece.digests[number] = digest
                else:
                    piece.settled[number] = known

    def redact(self, worker: Worker, hits: Mapping[int, Places], first: int) -> str:
        """Redact it. `hits` are the anchors of its texts, by index, of which `first` is that of the first one."""
        findings = worker.findings
        done: list[Known] = []
        for each in self._known:
            if isinstance(each, Known):
                known = each
            elif each.known is not None:  # the same as one before
                known = each.known
            else:
                worker.findings = Counter()
                ends, first = self._redact(each, worker, hits, first)
                known = each.known = self._settled(each, worker.findings, ends)
            done.append(known)
            for rule, count in known.found:
                findings[rule] += count
        worker.findings = findings
        pieces = [text if known.new is None else known.new for text, known in zip(self._pieces, done, strict=True)]
        text = self._joined(pieces)
        return text if len(pieces) == 1 or self._met(done) else self._across(text, done, pieces, worker)

    def _across(self, text: str, done: Sequence[Known], pieces: Sequence[str], worker: Worker) -> str:
        """Redact what is split over pieces of the text, which is redacted otherwise."""
        cache = self._rules.cache
        name = b"across" + b"".join(self._names)
        known = cache.get(name)
        if known is None:
            if not self._is_split(done, pieces, worker):
                return text
            findings, worker.findings = worker.findings, Counter()
            new = worker.again(self._joined(self._pieces), text, self._where)
            known = Known(None if new == text else new, tuple(worker.findings.items()))
            if self._rules.may_remember(worker.findings):
                cache.put(name, known)
            worker.findings = findings
        for rule, count in known.found:
            worker.findings[rule] += count
        return text if known.new is None else known.new

    def _is_plain(self, key: str) -> bool:
        """Whether a key is known to hold nothing itself."""
        return key in parts.KEYS or key in self._rules.cache.keys

    def _joined(self, pieces: Sequence[str]) -> str:
        if self._cut is None:
            return pieces[0]
        return f"{self._cut.before}{self._cut.gap.join(pieces)}{self._cut.after}"

    def _settled(self, piece: Piece, found: Counter[str], ends: Ends) -> Known:
        """What became of a piece, which is remembered if it may be."""
        rules = self._rules
        known = Known(None if piece.new == piece.text else piece.new, tuple(found.items()), ends)
        if piece.digest is not None and rules.may_remember(found) and all(self._is_plain(key) for key, _ in ends):
            rules.cache.put(piece.digest, known)
        return known

    def _redact(self, piece: Piece, worker: Worker, hits: Mapping[int, Places], first: int) -> tuple[Ends, int]:
        """Redact a piece. Gives its ends, and the index of the first text of the next one."""
        strings = piece.strings
        if strings is None:
            return self._by_tokens(piece, worker, hits.get(first)), first + 1
        numbers = first + len(piece.numbers)
        following = numbers + len(strings.numbers)
        if strings.numbers and any(index in hits for index in range(numbers, following)):
            piece.strings = None  # a number may be somebody's, and only a token says where it is
            return self._by_tokens(piece, worker, worker.search(piece.json(piece.text))), following
        changed = self._strings(piece, strings, worker, hits, first)
        return self._put(piece, strings, changed, worker), following

    def _by_tokens(self, piece: Piece, worker: Worker, places: Places | None) -> Ends:
        if places is not None:
            new = worker.by_tokens(piece.json(piece.text), self._where, places, self._depth)
            piece.new = new[1:-1] if piece.wrapped else new
        return carried.ends(piece.going_on())

    def _strings(
        self, piece: Piece, strings: Strings, worker: Worker, hits: Mapping[int, Places], first: int
    ) -> dict[int, str]:
        """Redact the strings of a piece one by one. Gives what changed, by number."""
        texts, keys, telling, settled = strings.texts, strings.keys, piece.telling, piece.settled
        changed: dict[int, str] = {}
        for index, number in enumerate(piece.numbers, first):
            if (known := settled.get(number)) is not None:
                for rule, count in known.found:
                    worker.findings[rule] += count
                if known.new is not None:
                    changed[number] = known.new
            elif (places := hits.get(index)) is not None or keys[number] in telling:
                old, key, digest = texts[number], keys[number] or "", piece.digests.get(number)
                new = worker.string(old, key, self._where, places or [], self._depth + 1, digest)
                if new != old:
                    changed[number] = new
            else:
                self._nothing(piece, keys[number], texts[number], number)
        return changed

    def _nothing(self, piece: Piece, key: str | None, text: str, number: int) -> None:
        """Remember a string in which there is nothing, or a key that says nothing either."""
        rules = self._rules
        if (digest := piece.digests.get(number)) is not None:
            rules.cache.put(digest, NOTHING)
        elif key is None and not rules.selective and text not in piece.telling:
            rules.cache.remember_key(text)

    def _put(self, piece: Piece, strings: Strings, changed: dict[int, str], worker: Worker) -> Ends:
        """Splice in what changed, and what is split over strings of the piece. Gives its ends."""
        raw = strings.texts
        if changed:
            strings.texts = raw[:]
            for number, new in changed.items():
                strings.texts[number] = new
        going_on = carried.by_key(strings.keys, strings.texts)
        for key, texts in going_on.items():
            if len(texts) > 1 and (joined := worker.together(texts, key, self._where)) is not None:
                of_key = [number for number, each in enumerate(strings.keys) if each == key]
                changed |= {number: new for number, old, new in zip(of_key, texts, joined, strict=True) if new != old}
        if changed:
            piece.new = parsed.splice(piece.text, raw, changed)
            strings.texts = raw[:]
            for number, new in changed.items():
                strings.texts[number] = new
        return carried.ends(going_on)

    def _met(self, done: Sequence[Known]) -> bool:
        """Whether all pieces met before as they meet here, and nothing was split over them."""
        known = self._rules.cache.get
        before: dict[str, bytes] = {}  # by key: the pieces that the next one may continue
        for name, each in zip(self._names, done, strict=True):
            for key, closed in each.ends:
                if (others := before.get(key)) is not None:
                    meeting = others + name
                    if known(meeting) is None:
                        return False
                    if not closed:
                        before[key] = meeting
                        continue
                before[key] = key.encode("utf-8", "replace") + name
        return True

    def _is_split(self, done: Sequence[Known], pieces: Sequence[str], worker: Worker) -> bool:
        """Whether a value is split over pieces. What is found not to be is remembered."""
        fresh = self._meetings(done)
        if fresh is None:
            return True
        read: dict[int, dict[str, list[str]]] = {}
        meetings: list[Meeting] = []
        for key, numbers, _ in fresh:
            for number in numbers:
                if number not in read:
                    of = self._known[number]
                    read[number] = (
                        of.going_on()
                        if isinstance(of, Piece)
                        else carried.read(f"[{self._pieces[number]}]", f"[{pieces[number]}]")
                    )
            meetings.append((key, parts.at_the_ends([read[number].get(key, []) for number in numbers])))
        if worker.any_split(meetings, self._where):
            return True
        for key, _, meeting in fresh:
            if self._is_plain(key):
                self._rules.cache.put(meeting, NOTHING)
        return False

    def _meetings(self, done: Sequence[Known]) -> list[tuple[str, list[int], bytes]] | None:
        """Where pieces meet that are not known to have met: key, the pieces, and how that is remembered.

        None when too many short pieces may continue one another.
        """
        names, known = self._names, self._rules.cache.get
        before: dict[str, list[int]] = {}
        fresh: list[tuple[str, list[int], bytes]] = []
        for index, each in enumerate(done):
            for key, closed in each.ends:
                others = before.setdefault(key, [])
                others.append(index)
                if len(others) > _MOST_OPEN:
                    return None
                if len(others) > 1:
                    meeting = key.encode("utf-8", "replace") + b"".join([names[other] for other in others])
                    if known(meeting) is None:
                        fresh.append((key, others[:], meeting))
                    if closed:
                        before[key] = [index]
        return fresh


def around(kind: str, key: str, where: int, depth: int, rules: CompiledRules) -> bytes:
    """Name all that the redaction of a text depends on: of a key that says nothing, only whether it carries parts."""
    if rules.facts(fold.word(key), where) is NO_FACTS:
        return rules.cache.around(f"{kind} in parts" if parts.carries_parts(key) else kind, where, depth)
    return rules.cache.around(kind, where, depth, key)


def body(text: str, key: str, where: int, depth: int, rules: CompiledRules) -> Body | None:
    """Make a body of a text that begins as JSON does, under a key.

    None when it is no JSON that parses, or more than its strings is asked for: by rules for whole texts or for roles,
    for the sake of the key.
    """
    if rules.every_text or rules.by_role or rules.facts(fold.word(key), where).whole:
        return None
    if (pieces := cut(text)) is not None:
        made = Body(rules, where, depth)
        try:
            made.cut_up(pieces)
        except ValueError:  # a border was none between two elements
            pass
        else:
            return made
    made = Body(rules, where, depth)
    try:
        return made if made.whole(text, key) else None
    except ValueError:
        return None
