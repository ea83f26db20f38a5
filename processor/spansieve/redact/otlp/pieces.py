"""What is to be looked at in one request: distinct attributes and texts, taken through the rules in one run."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import KeyValue, KeyValueList

from spansieve.errors import MalformedRequest
from spansieve.otlp_reduced import NOT_A_REQUEST
from spansieve.redact.find.engine import DROP, REMOVED, Run
from spansieve.redact.find.matching import Places
from spansieve.redact.find.nested import LARGE
from spansieve.redact.otlp import attributes, messages, stamp, walk
from spansieve.redact.otlp.attributes import PREFIXES, Key
from spansieve.redact.otlp.remembered import Remembered
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place

Reads = Callable[[str], bool]
"""Whether a later stage reads attributes of this key, or events of this name: those spans are marked `wanted`."""


class Outcome(NamedTuple):
    """What became of an attribute: None when it goes as a whole."""

    new: bytes | None
    found: Counter[str] | None


class Texts:
    """The texts of one field that stand in a request, such as spans' names: `seen`, none of them clean lately.

    `new` holds what those are now that changed.
    """

    __slots__ = ("clean", "found", "key", "new", "place", "seen")

    def __init__(self, key: str, place: Place) -> None:
        self.key = key
        self.place = place
        self.clean: Remembered[str] = Remembered()
        self.seen: set[str] = set()
        self.new: dict[str, str] = {}
        self.found: dict[str, Counter[str]] = {}

    def see(self, text: str) -> None:
        """Note a text, unless it is known at once that it is clean."""
        if text not in self.clean.latest:
            self.seen.add(text)

    def unknown(self) -> set[str]:
        """Give those seen that were never clean."""
        return self.seen - self.clean.again(self.seen)

    def remember(self) -> None:
        """Remember those that did not change."""
        self.clean.add(self.seen - self.new.keys())


class Attributes:
    """The attributes of one kind of place that have to be looked at in a request: `seen`, none of them clean lately.

    `changed` are those of them that do not leave as they came, `wanted` those that a later stage reads. What was clean
    is remembered over requests, in `clean` or, if it is wanted, in `clean_wanted`.
    """

    __slots__ = ("changed", "clean", "clean_wanted", "place", "seen", "wanted")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.clean: Remembered[bytes] = Remembered()
        self.clean_wanted: Remembered[bytes] = Remembered()
        self.seen: set[bytes] = set()
        self.changed: dict[bytes, Outcome] = {}
        self.wanted: set[bytes] = set()

    def see(self, raws: Iterable[bytes]) -> None:
        """Note attributes, but for those of which it is known at once that they are clean."""
        clean = self.clean.latest
        self.seen.update(raw for raw in raws if raw not in clean)

    def unknown(self) -> set[bytes]:
        """Give those seen that were never clean; the others that are wanted are in `wanted` from now on."""
        new = self.seen
        if known := self.clean.again(new):
            new = new - known
        self.wanted = self.clean_wanted.known(new)
        return new - self.wanted if self.wanted else new

    def remember(self, new: AbstractSet[bytes]) -> None:
        """Remember those that did not change."""
        clean = new - self.changed.keys()
        if self.wanted:
            self.clean_wanted.add(clean & self.wanted)
            clean -= self.wanted
        self.clean.add(clean)


class Job:
    """All that is to be looked at in one request, in one run of the rules. Not used again."""

    def __init__(self, rules: CompiledRules, reads: Reads) -> None:
        self._rules = rules
        self._reads = reads
        self._leaves = walk.Leaves(rules.plain_keys, *rules.places)
        self._plain: dict[int, tuple[Attributes, bytes, bytes]] = {}  # by index of a text; the last is the key's bytes
        self._fields: dict[int, tuple[Texts, str]] = {}
        # With the indexes of its texts, and whether it is a stamp that somebody else put there.
        self._parsed: list[tuple[Attributes, bytes, KeyValue, range, bool]] = []
        self._list = KeyValueList()
        self._hits: dict[int, Places] = {}  # by index of a text: what is known already
        self._raws: dict[int, bytes] = {}  # long ones that begin as JSON does, by index of a text

    def attributes(self, kind: Attributes, raws: Iterable[bytes], keys: Mapping[bytes, Key]) -> list[bytes]:
        """Add attributes, and give those that are not added, since `keys` does not know what their keys tell.

        Raises MalformedRequest.
        """
        unknown: list[bytes] = []
        texts, owners, named = self._leaves.texts, self._leaves.owners, self._leaves.keys
        selective, plain = self._rules.selective, self._plain
        most = len(PREFIXES)
        for raw in raws:
            at = raw[1] + 2 if len(raw) > 1 else 0
            key_head = raw[:at]
            key = keys.get(key_head)
            if key is None:
                unknown.append(raw)
                continue
            name, silent, wanted, stamped, _, _ = key
            if stamped:
                self.parse(kind, raw)
                continue
            if wanted:
                kind.wanted.add(raw)
            size = len(raw) - at
            prefix = PREFIXES[size] if size < most else attributes.prefix(size)
            if raw.startswith(prefix, at):
                index = len(texts)
                value = raw[at + len(prefix) :]
                if size >= LARGE and value[0] in b"[{":  # as JSON does, which is not decoded as a whole
                    texts.append("")
                    self._raws[index] = value
                else:
                    texts.append(_decoded(value))
                owners.append(None)
                plain[index] = (kind, raw, key_head)
                if not silent:
                    named[index] = name
                if selective:
                    self._leaves.wheres.append(self._rules.at(kind.place, name))
            elif not (silent and attributes.is_silent_number(raw[at:])):
                self.parse(kind, raw)
        return unknown

    def text(self, kind: Attributes, raw: bytes, key: Key, text: str, places: Places) -> None:
        """Add an attribute's short text, of which it is known where its anchors are. Where no rule asks for a place."""
        leaves = self._leaves
        index = len(leaves.texts)
        leaves.texts.append(text)
        leaves.owners.append(None)
        if not key.silent:
            leaves.keys[index] = key.name
        self._plain[index] = (kind, raw, raw[: raw[1] + 2])
        self._hits[index] = places

    def texts(self, texts: Texts, fresh: Iterable[str]) -> None:
        """Add texts of a field."""
        leaves = self._leaves
        for text in fresh:
            index = len(leaves.texts)
            leaves.texts.append(text)
            leaves.owners.append(None)
            leaves.keys[index] = texts.key
            if self._rules.selective:
                leaves.wheres.append(self._rules.at(texts.place, ""))
            self._fields[index] = (texts, text)

    def parse(self, kind: Attributes, raw: bytes) -> None:
        """Add an attribute as the attributes of messages are walked."""
        pair = attributes.parse(raw, self._list)
        gone = stamp.is_stamp(pair.key)
        if self._reads(pair.key):
            kind.wanted.add(raw)
        start = len(self._leaves.texts)
        self._leaves.attributes([pair], kind.place)
        self._parsed.append((kind, raw, pair, range(start, len(self._leaves.texts)), gone))

    def run(self, findings: Counter[str]) -> None:
        """Find out what becomes of all.

        `findings` grows by what is counted once for a request: changed keys, and what several texts held together.
        """
        leaves = self._leaves
        if not leaves.texts and not self._parsed:
            return
        run = Run(self._rules)
        try:
            changed = run.texts(leaves.texts, leaves.keys, leaves.wheres, leaves.groups, self._hits, self._raws)
        except UnicodeDecodeError:
            raise MalformedRequest(NOT_A_REQUEST) from None
        found_in = run.found_in
        if sum(run.findings.values()) > sum(counts.total() for counts in found_in.values()):
            # What was found over the parts of a list is in no text's account.
            beside = Counter(run.findings)
            for counts in found_in.values():
                beside.subtract(counts)
            findings.update(+beside)
        if leaves.undecodable:
            messages.note_undecodable(leaves, found_in)
        for index, encoded in run.encoded.items():
            kind, raw, key_head = self._plain[index]
            kind.changed[raw] = Outcome(attributes.with_encoded(key_head, encoded), found_in.get(index))
        self._put(changed, found_in)
        if self._parsed:
            self._write(changed, found_in, findings)

    def _put(self, changed: Mapping[int, str], found_in: Mapping[int, Counter[str]]) -> None:
        """Put what changed in its place."""
        leaves = self._leaves
        for index, new in changed.items():
            if (plain := self._plain.get(index)) is not None:
                kind, raw, key_head = plain
                kind.changed[raw] = Outcome(_attribute(key_head, new), found_in.get(index))
            elif (field := self._fields.get(index)) is not None:
                texts, text = field
                texts.new[text] = "" if new == DROP else _encodable(new)
                texts.found[text] = found_in.get(index, Counter())
            else:
                leaves.put(index, _encodable(new))

    def _write(self, changed: Mapping[int, str], found_in: Mapping[int, Counter[str]], findings: Counter[str]) -> None:
        """Write what was parsed."""
        if names := messages.changed_keys(sorted(self._leaves.attribute_keys), self._rules, findings):
            walk.rename(self._list, names)
        for kind, raw, pair, indexes, gone in self._parsed:
            found: Counter[str] = Counter()
            for index in indexes:
                if (counts := found_in.get(index)) is not None:
                    found.update(counts)
            if gone or any(changed.get(index) == DROP for index in indexes):
                kind.changed[raw] = Outcome(None, found)
            elif (new := pair.SerializeToString()) != raw:
                kind.changed[raw] = Outcome(new, found)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None


def _attribute(key_head: bytes, text: str) -> bytes | None:
    if text == DROP:
        return None
    try:
        return attributes.with_text(key_head, text)
    except UnicodeEncodeError:
        return attributes.with_text(key_head, REMOVED)


def _encodable(text: str) -> str:
    """A text as it is, or what stands for one that is not to be encoded, such as a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return REMOVED
    return text
