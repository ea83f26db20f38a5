"""Names out of the texts of one conversation: what the model finds, by the rules of a policy.

Fail closed: a text whose reading raises is removed whole, and counted under `names_error`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import repeat
from typing import Final

from spansieve.names import view as _view
from spansieve.names.features import word_hashes
from spansieve.names.model import Model
from spansieve.names.people import People
from spansieve.names.recogniser import Find, Recogniser
from spansieve.names.spans import LOCATION, PERSON, Span
from spansieve.names.view import View
from spansieve.redact.otlp import stamp
from spansieve.redact.policy.others import LONGEST, Other
from spansieve.redact.rules.compiled import CompiledRule, CompiledRules
from spansieve.redact.text import fold, jsontext

ERROR: Final = "names_error"
"""What a text that could not be read is counted under."""

REMOVED: Final = "[REMOVED]"
DROP: Final = "\0[DROP]\0"
"""In place of a text whose attribute is to go as a whole."""

Groups = Iterable[Sequence[int]]
Changes = tuple[dict[int, str], dict[int, Counter[str]]]

_KINDS: Final = {"PERSON": PERSON, "LOCATION": LOCATION}
_SHORT = 80  # characters up to which a text is read behind its key
_TELLING = re.compile(r"[._]")
_LIKE_AN_IDENTIFIER = re.compile(
    r"[A-Za-z]?[a-z]{3,}(?:[A-Z][a-z]{3,})+|[a-z0-9_.:/@+-]*|[A-Z0-9_.:/-]*|[^A-Za-z\u00aa-\U0010ffff]*"
)
_TOKEN = re.compile(r"\[[A-Za-z][\w ]*(?::[a-f0-9]+| \*{4}\w+)?\]")
_WORD = re.compile(r"[^\W_]+")
_NAME_WORD = re.compile(r"(?<![\w@./\\-])[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_BETWEEN_APOSTROPHES = re.compile(r"[^'\u2019]+")
_GOES_ON = re.compile(r"[\w@/\\(-]|\.\w")
_FEW = 16
_NO_NAME = 1.1  # more than any probability


class Redactor:
    """Takes names out of texts by the rules of one policy. Owned by one thread at a time."""

    def __init__(self, rules: CompiledRules, model: Model) -> None:
        self.rules = rules
        self._model = model
        self._of: dict[int, CompiledRule] = {}
        for rule in rules.named:
            if rule.named is not None:
                self._of.setdefault(_KINDS[rule.named.kind], rule)
        also = dict.fromkeys(name for rule in rules.named if rule.named is not None for name in rule.named.also)
        self._recogniser = Recogniser(model, self._thresholds(), [_finder(name) for name in also])
        self._longest = LONGEST if also else None
        self._words: dict[str, bool] = {}

    @property
    def active(self) -> bool:
        """Whether the policy asks for names at all."""
        return bool(self._of)

    def texts(
        self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int] = (), groups: Groups = ()
    ) -> Changes:
        """Take the names out of texts of one conversation. Gives what changed, and what was found where by rule.

        Each stands under its key; `wheres` is as for the other rules (see CompiledRules.at). `groups` are texts that
        one may continue the other, by index: they are read together.
        """
        try:
            return self._texts(texts, keys, wheres, groups)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is: no text that was to be read passes
            return self.withheld(texts, keys, wheres)

    def withheld(
        self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int] = (), _groups: Groups = ()
    ) -> Changes:
        """Remove every text that would have been read."""
        wanted = [
            index
            for index, text in enumerate(texts)
            if text != REMOVED and _worth(text) and self._rules_at(keys.get(index, ""), wheres[index] if wheres else 0)
        ]
        return dict.fromkeys(wanted, REMOVED), {index: Counter({ERROR: 1}) for index in wanted}

    def text(self, text: str, key: str = "", where: int = 0) -> tuple[str, Counter[str]]:
        """Take the names out of one text."""
        changed, found = self.texts([text], {0: key}, [where])
        new = changed.get(0, text)
        return "" if new == DROP else new, found.get(0, Counter())

    def _texts(self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int], groups: Groups) -> Changes:
        values: dict[tuple[str, str, int], _Value] = {}
        of_index: dict[int, _Value] = {}
        for index, text in enumerate(texts):
            if not _worth(text):
                continue
            key = keys.get(index, "")
            where = wheres[index] if wheres else 0
            value = values.get((text, key, where))
            if value is None:
                rules = self._rules_at(key, where)
                value = values[text, key, where] = _Value(text, key, rules)
            if value.rules:
                of_index[index] = value
        live = [value for value in values.values() if value.rules]
        self._read(live)
        people = self._people(live)
        parts = frozenset(people.bare())
        for value in live:
            value.write(people, parts)
        changed = {index: value.new for index, value in of_index.items() if value.new != value.text}
        found = {index: of_index[index].counts for index in changed}
        for group in groups:
            self._together(group, texts, of_index, people, changed, found)
        return changed, found

    def _people(self, values: Iterable["_Value"]) -> People:
        """Who was found by a full name."""
        people = People(self._is_word)
        for value in values:
            for view, spans in value.found:
                for start, end, kind in spans:
                    if kind == PERSON:
                        people.add(view.text[start:end])
        return people

    def _together(
        self,
        group: Sequence[int],
        texts: Sequence[str],
        of_index: Mapping[int, "_Value"],
        people: People,
        changed: dict[int, str],
        found: dict[int, Counter[str]],
    ) -> None:
        """Read the pieces of one text, such as the chunks of a stream, as the text that they are."""
        if isinstance(group, range):  # the elements of a list: each is a text of its own
            return
        rules: dict[int, CompiledRule] = {}
        for index in group:
            if index in of_index:
                rules |= of_index[index].rules
        whole = "".join([texts[index] for index in group])
        if not rules or not _worth(whole):
            return
        if self._too_long(whole):
            gone = of_index.keys() & set(group)
            changed |= dict.fromkeys(gone, REMOVED)
            found |= zip(gone, repeat(Counter({ERROR: 1})), strict=False)
            return
        spans = [span for span in self._recogniser.find([whole])[0] if self._counts(whole, span, rules)]
        at = 0
        for index in group:
            end = at + len(texts[index])
            here = [span for span in spans if span[0] < end and span[1] > at]
            value = of_index.get(index)
            if here and (value is None or not value.view.tokens):
                here += _alone(value, at, here)
                counts: Counter[str] = Counter()
                pieces: list[tuple[int, int, str]] = []
                for left, right, kind in sorted(here):
                    rule = rules[kind]
                    begins = left >= at  # what is put stands where the name begins
                    new = rule.render(people.who(whole[left:right])) if begins and not rule.drops else ""
                    pieces.append((max(left, at) - at, min(right, end) - at, new))
                    counts[rule.name] += begins
                changed[index] = _view.replaced(texts[index], pieces)
                found[index] = +counts
            at = end

    def _too_long(self, text: str) -> bool:
        """Whether a text is longer than a second opinion can be asked for."""
        return self._longest is not None and len(text) > self._longest

    def _read(self, asked_for: Sequence["_Value"]) -> None:
        values: list[_Value] = []
        for value in asked_for:
            value.unread |= any(self._too_long(view.text) for view in value.view.all())
            if not value.unread:
                values.append(value)
        asked: list[str] = []
        for value in values:
            asked += [value.before + view.text if view is value.view else view.text for view in value.view.all()]
        answers = iter(self._recogniser.find(asked))
        for value in values:
            for view in value.view.all():
                shift = len(value.before) if view is value.view else 0
                spans = [(max(0, s - shift), e - shift, kind) for s, e, kind in next(answers) if e > shift]
                value.found.append((view, [span for span in spans if self._counts(view.text, span, value.rules)]))

    def _counts(self, text: str, span: Span, rules: Mapping[int, CompiledRule]) -> bool:
        """Whether a rule takes what was found: it applies here, and not all words are such as are no names."""
        rule = rules.get(span[2])
        if rule is None or rule.named is None:
            return False
        name = text[span[0] : span[1]]
        never = rule.named.never
        if name.casefold() in never:
            return False
        words = _WORD.findall(name)
        return not all(word.casefold() in never or word.isdigit() for word in words) if words else False

    def _rules_at(self, key: str, where: int) -> dict[int, CompiledRule]:
        if not key and not where:
            return self._of
        if stamp.is_stamp(key):  # of our own, whoever else sent some
            return {}
        off = self.rules.facts(fold.word(key), where).off
        return {kind: rule for kind, rule in self._of.items() if rule.index not in off}

    def _thresholds(self) -> tuple[float, float]:
        """Probabilities from the policy's thresholds: 0.5 is what the model was tuned to, 0 and 1 are 0 and 1."""
        found = []
        for kind, tuned in zip((PERSON, LOCATION), self._model.thresholds, strict=True):
            rule = self._of.get(kind)
            if rule is None or rule.named is None or rule.named.threshold >= 1:
                found.append(_NO_NAME)
            elif rule.named.threshold <= 0:
                found.append(0.0)
            else:
                found.append(tuned ** (math.log(rule.named.threshold) / math.log(0.5)))
        return found[0], found[1]

    def _is_word(self, word: str) -> bool:
        known = self._words.get(word)
        if known is None:
            if len(self._words) > 10_000:
                self._words.clear()
            known = self._words[word] = bool(self._model.lexicon.look_up(word_hashes([word]))[0] >> 6)
        return known


def _alone(value: "_Value | None", at: int, here: Sequence[Span]) -> list[Span]:
    """What was found in a piece by itself and not in the text that it is a piece of, where it begins at `at`."""
    alone = [(start + at, end + at, kind) for start, end, kind in (value.found[0][1] if value is not None else ())]
    return [each for each in alone if not any(each[0] < end and each[1] > start for start, end, _ in here)]


def _finder(name: str) -> Find:
    """Another recogniser by name, which gives spans as ours does."""
    other = Other(name)
    return lambda text: [(start, end, _KINDS[kind]) for start, end, kind in other.find(text)]


class _Value:
    """One text on its way: what was found in it, and what becomes of it."""

    __slots__ = ("before", "counts", "found", "new", "rules", "text", "unread", "view")

    def __init__(self, text: str, key: str, rules: Mapping[int, CompiledRule]) -> None:
        self.text = text
        self.new = text
        self.rules = rules
        self.unread = jsontext.too_many(text) and jsontext.looks_like(text)
        self.view = _view.of("" if self.unread else text)
        # A short value is judged by the key that it stands under.
        # One word says nothing: «name» is also what a span's name stands under.
        self.before = f"{key}: " if len(text) < _SHORT and _TELLING.search(key) else ""
        self.found: list[tuple[View, list[Span]]] = []
        self.counts: Counter[str] = Counter()

    def write(self, people: People, parts: AbstractSet[str]) -> None:
        """Put what the rules put in the place of the names; what was not read goes."""
        if self.unread:
            self.new, self.counts = REMOVED, Counter({ERROR: 1})
            return
        by_view = {id(view): spans for view, spans in self.found}
        self.new = self._written(self.view, by_view, people, parts)

    def _written(self, view: View, by_view: Mapping[int, list[Span]], people: People, parts: AbstractSet[str]) -> str:
        inner: dict[int, str] = {}
        for index, each in view.inner.items():
            new = self._written(each, by_view, people, parts)
            if new == DROP:
                return DROP
            if new != each.raw:
                inner[index] = new
        spans = _outside_tokens(view.text, self._with_parts(view.text, by_view.get(id(view), []), parts))
        changes: list[tuple[int, int, str]] = []
        for start, end, kind in spans:
            rule = self.rules[kind]
            if rule.drops:
                self.counts[rule.name] += 1
                return DROP
            name = view.text[start:end]
            by_identity = rule.named is not None and rule.named.by_identity and kind == PERSON
            changes.append((start, end, rule.render(people.who(name) if by_identity else name)))
            self.counts[rule.name] += 1
        return _view.put(view, changes, inner) if changes or inner else view.raw

    def _with_parts(self, text: str, spans: list[Span], parts: AbstractSet[str]) -> list[Span]:
        """Take the parts of full names that stand alone for the person: those that were not found, or as a place."""
        if not parts or PERSON not in self.rules:
            return spans
        if len(parts) <= _FEW and not any(part in text for part in parts):
            return spans
        spans = [(start, end, PERSON if text[start:end] in parts else kind) for start, end, kind in spans]
        covered = _covered(text, spans)
        more = [(start, end, PERSON) for start, end in _standing_alone(text, parts) if not any(covered[start:end])]
        return sorted(spans + more) if more else spans


def _standing_alone(text: str, parts: AbstractSet[str]) -> Iterator[tuple[int, int]]:
    """Where in a text one of these words stands by itself. One look over the text, however many words there are."""
    for match in _NAME_WORD.finditer(text):
        word = match[0]
        if word in parts:
            pieces = [match.span()]
        elif "'" in word or "\u2019" in word:  # as in «Roe's», «d'Roe»
            pieces = [(match.start() + m.start(), match.start() + m.end()) for m in _BETWEEN_APOSTROPHES.finditer(word)]
        else:
            continue
        for left, right in pieces:
            if text[left:right] in parts and not _GOES_ON.match(text, right):
                yield left, right


def _covered(text: str, spans: Iterable[tuple[int, ...]]) -> bytearray:
    """A byte for each character: whether it is in a span."""
    covered = bytearray(len(text))
    for start, end, *_ in spans:
        covered[start:end] = b"\1" * (end - start)
    return covered


def _outside_tokens(text: str, spans: list[Span]) -> list[Span]:
    """Leave out what other rules put there, such as the word in `[EMAIL]`."""
    if not spans or "[" not in text:
        return spans
    made = [match.span() for match in _TOKEN.finditer(text)]
    if not made:
        return spans
    covered = _covered(text, made)
    return [span for span in spans if not any(covered[span[0] : span[1]])]


def _worth(text: str) -> bool:
    """Whether a text may hold a name: it has letters, and is not one identifier."""
    return len(text) > 1 and _LIKE_AN_IDENTIFIER.fullmatch(text) is None
