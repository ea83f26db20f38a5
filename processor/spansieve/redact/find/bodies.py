"""A JSON text before and after the one scan of a request: what is known is not even parsed, of the rest strings count.

A conversation sends all its messages again each turn. So a list of objects is cut into pieces, each of which is asked
for in the memory by its digest; the strings of those that are not known are looked at as texts of their own, and the
results spliced in. Where two pieces meet, a value may be split over them: of each meeting, too, the memory knows when
there is nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from spansieve.redact.find import carried, pairs, persons, rows
from spansieve.redact.find.body_piece import Piece
from spansieve.redact.find.flat import DROP, Findings, Meeting, add
from spansieve.redact.find.matching import Places
from spansieve.redact.rules.cache import NOTHING, WORTH, Ends, Known
from spansieve.redact.rules.compiled import NO_FACTS, CompiledRules
from spansieve.redact.text import fold, parsed, parts
from spansieve.redact.text.cuts import Cut, cut
from spansieve.redact.text.parsed import Shape

_MOST_OPEN: Final = 64  # pieces that a value may be split over
_MOST_AT_ONCE: Final = 24  # pieces that are read as one text, where they meet
_MOST_NAMES: Final = 64

_Met = tuple[str, tuple[int, ...], bytes]
"""A key, the pieces of which the last continues the others under it, and how their meeting is remembered."""


class Worker(Protocol):
    """Who redacts texts, and counts in `findings` by rule."""

    findings: Findings

    def search(self, text: str) -> Places:
        """Where the anchors of a text are."""

    def string(self, text: str, key: str, where: int, places: Places, depth: int) -> tuple[str, Mapping[str, int]]:
        """Redact a string. Gives what was found, too, which is not counted yet."""

    def by_tokens(self, text: str, where: int, places: Places, depth: int) -> str:
        """Redact JSON token by token."""

    def together(self, texts: Sequence[str], key: str, where: int) -> list[str] | None:
        """Redact what is split over texts of which one continues the other. None when there is nothing."""

    def again(self, old: str, new: str, where: int) -> str:
        """Redact what is split over the strings of a JSON text, which is given as it came and as it is by now."""

    def any_split(self, meetings: Sequence[Meeting], where: int) -> bool:
        """Whether anything is split over texts that meet."""


class Body:
    """A JSON text in UTF-8, in pieces of which some may be known: `texts` are to be searched for anchors, together."""

    __slots__ = ("_around", "_cut", "_depth", "_known", "_names", "_pieces", "_rules", "_where", "texts")

    def __init__(self, rules: CompiledRules, where: int, depth: int) -> None:
        self.texts: list[str] = []
        self._rules = rules
        self._where = where
        self._depth = depth
        self._around: dict[str, bytes] = {}  # by key: what else the redaction of its strings depends on
        self._cut: Cut | None = None
        self._names: list[bytes] = []  # the pieces' digests
        self._known: list[Known[bytes] | Piece] = []  # what became of them, or is to
        self._pieces: list[bytes] = []

    def cut_up(self, cut: Cut) -> None:
        """Take the pieces of a list. Raises ValueError when one is no JSON."""
        cache, known_of = self._rules.cache, self._known
        self._cut, self._pieces = cut, cut.pieces
        around = cache.around("piece", self._where, self._depth)
        self._names = cache.digests(cut.pieces, around)
        fresh: dict[bytes, Piece] = {}
        for text, name, settled in zip(cut.pieces, self._names, cache.recall(self._names), strict=True):
            known = settled or fresh.get(name)
            if known is None:
                known = fresh[name] = self._piece(text, "", name, wrapped=True)
                self.texts += known.searched()
            known_of.append(known)

    def whole(self, text: bytes, key: str) -> bool:
        """Take the text as one piece. False when it is to be read by tokens; raises ValueError when it is no JSON."""
        cache, name = self._rules.cache, None
        self._pieces = [text]
        if len(text) >= WORTH:
            (name,) = cache.digests([text], around("whole", key, self._where, self._depth, self._rules))
            if (known := cache.get(name)) is not None:
                self._known = [known]
                return True
        piece = self._piece(text, key, name, wrapped=False)
        self._known = [piece]
        self.texts = piece.searched()
        return piece.shape is not None

    def _piece(self, text: bytes, key: str, name: bytes | None, *, wrapped: bool) -> Piece:
        """Read a piece. Raises ValueError when it is no JSON."""
        piece = Piece(text, name, (key, self._where, self._depth, wrapped))
        for frame, inner in self._rules.cache.framed(text, piece.around):
            texts = frame.texts(inner)
            if texts is not None:
                shape = frame.shape
                piece.frame, piece.inner, piece.texts, piece.asked = frame, inner, texts, shape.long
                break
        else:
            known = parsed.shape(text, key, wrapped=wrapped)
            if known is None or not self._ask(piece, known):
                return piece
            shape = known
            piece.texts = list(shape.texts)
            segments = piece.segments = parsed.segments(text)
            piece.inner = [segments[2 * number + 1] for number in piece.asked]
        piece.shape = shape
        self._recall(piece, shape)
        return piece

    def _ask(self, piece: Piece, shape: Shape) -> bool:
        """Find out what of a piece is to be looked at. False when it is to be read by tokens."""
        rules, where = self._rules, self._where
        unknown: AbstractSet[str] = shape.names
        if not rules.selective:
            unknown = unknown - rules.cache.keys
        if len(unknown) > _MOST_NAMES:  # keys made of data: to ask what each says costs more than to search the text
            return False
        piece.telling = {each for each in unknown if rules.facts(fold.word(each), where).whole}
        if not piece.telling.isdisjoint(shape.numbered):
            return False
        if any(each.may_name(shape.names) for each in (persons, pairs, rows)):
            return False
        texts = shape.texts
        piece.asked = [n for n, key in enumerate(shape.keys) if key is not None or texts[n] in unknown]
        return True

    def _recall(self, piece: Piece, shape: Shape) -> None:
        """Ask what is known of the long strings of a piece."""
        cache, keys, known_around = self._rules.cache, shape.keys, self._around
        for number, inner in zip(piece.asked, piece.inner, strict=True):
            if len(inner) >= WORTH:
                key = keys[number] or ""
                if key not in known_around:
                    known_around[key] = around("string", key, self._where, self._depth + 1, self._rules)
                (digest,) = cache.digests((inner,), known_around[key])
                known = cache.get(digest)
                if known is None:
                    piece.digests[number] = digest
                else:
                    piece.settled[number] = known

    def redact(self, worker: Worker, hits: Mapping[int, Places], first: int) -> bytes:
        """Redact it. `hits` are the anchors of its texts, by index, of which `first` is that of the first one."""
        findings = worker.findings
        pieces = self._pieces[:]
        done: list[Known[bytes]] = []
        found = worker.findings = {}
        for index, each in enumerate(self._known):
            if isinstance(each, Known):
                known = each
            elif each.known is not None:  # the same as one before
                known = each.known
            else:
                ends, first = self._redact(each, worker, hits, first)
                known = each.known = self._settled(each, found, ends)
                found.clear()
            done.append(known)
            if known.new is not None:
                pieces[index] = known.new
            if known.found:
                add(findings, known.found)
        worker.findings = findings
        text = self._joined(pieces)
        if len(pieces) == 1:
            return text
        fresh = self._meetings(done)
        return self._across(text, fresh, pieces, worker) if fresh is None or fresh else text

    def _across(self, text: bytes, fresh: Sequence[_Met] | None, pieces: Sequence[bytes], worker: Worker) -> bytes:
        """Redact what is split over pieces of the text, which is redacted otherwise."""
        cache = self._rules.cache
        name = b"across" + b"".join(self._names)
        known = cache.get(name)
        if known is None:
            if fresh is not None and not self._is_split(fresh, pieces, worker):
                return text
            findings, worker.findings = worker.findings, {}
            new = worker.again(self._joined(self._pieces).decode(), text.decode(), self._where).encode()
            known = Known.of(text, new, worker.findings)
            if self._rules.may_remember(worker.findings):
                cache.put(name, known)
            worker.findings = findings
        add(worker.findings, known.found)
        return text if known.new is None else known.new

    def _is_plain(self, key: str) -> bool:
        """Whether a key is known to hold nothing itself."""
        return key in parts.KEYS or key in self._rules.cache.keys

    def _joined(self, pieces: Sequence[bytes]) -> bytes:
        if self._cut is None:
            return pieces[0]
        return b"".join((self._cut.before, self._cut.gap.join(pieces), self._cut.after))

    def _settled(self, piece: Piece, found: Findings, ends: Ends) -> Known[bytes]:
        """What became of a piece, which is remembered if it may be."""
        rules = self._rules
        settled = Known.of(piece.text, piece.new, found, ends)
        if piece.digest is not None and rules.may_remember(found) and all(self._is_plain(key) for key, _ in ends):
            rules.cache.put(piece.digest, settled)
        return settled

    def _redact(self, piece: Piece, worker: Worker, hits: Mapping[int, Places], first: int) -> tuple[Ends, int]:
        """Redact a piece. Gives its ends, and the index of the first text of the next one."""
        shape = piece.shape
        if shape is None:
            return self._by_tokens(piece, worker, hits.get(first)), first + 1
        numbers = first + len(piece.asked) - len(piece.settled)
        following = numbers
        if shape.numbers and piece.frame is None:
            following += len(shape.numbers)
            if any(
                places is not None and self._is_somebodys(number, places, worker)
                for number, places in zip(shape.numbers, map(hits.get, range(numbers, following)), strict=True)
            ):
                piece.shape = None  # only a token says where the number is
                return self._by_tokens(piece, worker, worker.search(piece.json(piece.text).decode())), following
        changed = self._strings(piece, shape, worker, hits, first)
        return self._put(piece, shape, changed, worker), following

    def _is_somebodys(self, number: tuple[str, str], places: Places, worker: Worker) -> bool:
        """Whether a number, under a key, is more than a time or a count."""
        text, key = number
        return worker.string(text, key, self._where, places, self._depth + 1)[0] != text

    def _by_tokens(self, piece: Piece, worker: Worker, places: Places | None) -> Ends:
        if places is not None:
            new = worker.by_tokens(piece.json(piece.text).decode(), self._where, places, self._depth).encode()
            piece.new = new[1:-1] if piece.around[-1] else new
        return carried.ends(piece.going_on())

    def _strings(
        self, piece: Piece, shape: Shape, worker: Worker, hits: Mapping[int, Places], first: int
    ) -> dict[int, bytes]:
        """Redact the strings of a piece one by one, in its texts. Gives what changed as it is to stand, by number."""
        texts, keys, telling, settled = piece.texts, shape.keys, piece.telling, piece.settled
        changed: dict[int, bytes] = {}
        index = first
        for number, inner in zip(piece.asked, piece.inner, strict=True):
            if settled and (known := settled.get(number)) is not None:
                if known.new is not None:
                    changed[number] = known.new
                    (texts[number],) = parsed.read((known.new,))
            elif (places := hits.get(index)) is not None or (telling and keys[number] in telling):
                known = self._string(piece, number, inner, keys[number] or "", places or [], worker)
                if known.new is not None:
                    changed[number] = known.new
                index += 1
            else:
                self._nothing(piece, keys[number], texts[number], number)
                index += 1
                continue
            add(worker.findings, known.found)
        return changed

    def _string(
        self, piece: Piece, number: int, inner: bytes, key: str, places: Places, worker: Worker
    ) -> Known[bytes]:
        """Redact a string, in the texts of its piece. Gives, and remembers if it may, what is to stand for it."""
        old = piece.texts[number]
        new, found = worker.string(old, key, self._where, places, self._depth + 1)
        put = None
        if new != old:  # a rule drops attributes, and of a string in one nothing stays
            piece.texts[number] = new = "" if new == DROP else new
            put = parsed.written(new, inner)
        known = NOTHING if put is None and not found else Known(put, tuple(found.items()))
        if (digest := piece.digests.get(number)) is not None and self._rules.may_remember(found):
            self._rules.cache.put(digest, known)
        return known

    def _nothing(self, piece: Piece, key: str | None, text: str, number: int) -> None:
        """Remember a string in which there is nothing, or a key that says nothing either."""
        rules = self._rules
        if (digest := piece.digests.get(number)) is not None:
            rules.cache.put(digest, NOTHING)
        elif key is None and not rules.selective and text not in piece.telling:
            rules.cache.remember_key(text)

    def _put(self, piece: Piece, shape: Shape, changed: dict[int, bytes], worker: Worker) -> Ends:
        """Splice in what changed, and what is split over strings of the piece. Gives its ends."""
        texts = piece.texts
        for key, numbers in shape.going_on.items():
            if len(numbers) > 1:
                joined = worker.together([texts[number] for number in numbers], key, self._where)
                for number, new in zip(numbers, joined or (), strict=joined is not None):
                    if new != texts[number]:
                        texts[number] = new
                        changed[number] = parsed.written(new, piece.split()[2 * number + 1])
        only_long = not changed or changed.keys() <= set(shape.long)
        if piece.frame is not None and only_long:
            if changed:
                piece.new = piece.frame.splice(piece.inner, changed)
        else:
            if changed:
                piece.new = parsed.splice(piece.split(), changed)
            if only_long and not piece.telling and (frame := parsed.frame(shape, piece.split())) is not None:
                self._rules.cache.remember_frame(piece.text, piece.around, frame)
        return carried.ends(piece.going_on())

    def _meetings(self, done: Sequence[Known[bytes]]) -> list[_Met] | None:
        """Where pieces meet that are not known to have met. None when too many short ones may continue one another."""
        before: dict[str, tuple[bytes, tuple[int, ...]]] = {}  # by key: the pieces that the next one may continue
        met: list[_Met] = []
        for index, (name, each) in enumerate(zip(self._names, done, strict=True)):
            for key, closed in each.ends:
                others = before.get(key)
                if others is None:
                    before[key] = key.encode("utf-8", "replace") + name, (index,)
                    continue
                meeting, numbers = others[0] + name, (*others[1], index)
                if len(numbers) > _MOST_OPEN:
                    return None
                met.append((key, numbers, meeting))
                before[key] = (key.encode("utf-8", "replace") + name, (index,)) if closed else (meeting, numbers)
        known = self._rules.cache.recall([meeting for _, _, meeting in met])
        return [each for each, nothing in zip(met, known, strict=True) if nothing is None]

    def _going_on(self, number: int, new: bytes) -> dict[str, list[str]]:
        """The strings of a piece, redacted by now, that another may continue."""
        piece = self._known[number]
        if isinstance(piece, Piece):
            return piece.going_on()
        for frame, inner in self._rules.cache.framed(new, ("", self._where, self._depth, True)):
            texts = frame.texts(inner)
            if texts is not None:
                return carried.of_shape(frame.shape, texts)
        return carried.read(b"[%b]" % self._pieces[number], b"[%b]" % new)

    def _is_split(self, fresh: Sequence[_Met], pieces: Sequence[bytes], worker: Worker) -> bool:
        """Whether a value is split over pieces where they meet. What is found not to be is remembered."""
        read: dict[int, dict[str, list[str]]] = {}
        meetings: list[Meeting] = []
        for key, numbers in _rows(fresh):
            for number in numbers:
                if number not in read:
                    read[number] = self._going_on(number, pieces[number])
            meetings.append((key, parts.at_the_ends([read[number].get(key, []) for number in numbers])))
        if worker.any_split(meetings, self._where):
            return True
        for key, _, meeting in fresh:
            if self._is_plain(key):
                self._rules.cache.put(meeting, NOTHING)
        return False


def _rows(fresh: Iterable[_Met]) -> list[tuple[str, list[int]]]:
    """The meetings of pieces that follow one another as one, some at a time: by key."""
    rows: list[tuple[str, list[int]]] = []
    last: dict[str, list[int]] = {}
    for key, numbers, _ in fresh:
        row = last.get(key)
        if row is None or numbers[0] > row[-1] or len(row) + len(numbers) > _MOST_AT_ONCE:
            row = last[key] = list(numbers)
            rows.append((key, row))
        else:
            row += [number for number in numbers if number > row[-1]]
    return rows


def around(kind: str, key: str, where: int, depth: int, rules: CompiledRules) -> bytes:
    """Name all that the redaction of a text depends on: of a key that says nothing, only whether it carries parts."""
    if rules.facts(fold.word(key), where) is NO_FACTS:
        return rules.cache.around(f"{kind} in parts" if parts.carries_parts(key) else kind, where, depth)
    return rules.cache.around(kind, where, depth, key)


def body(text: bytes, key: str, where: int, depth: int, rules: CompiledRules) -> Body | None:
    """Make a body of a text in UTF-8 that begins as JSON does, under a key.

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
