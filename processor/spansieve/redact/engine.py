"""From raw texts to clean ones: anchors over all of them at once, exact patterns where anchors are, JSON inside walked.

Fail closed: a value whose processing raises, costs too much or nests too deep is removed whole, and counted under
`error` or `budget`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spansieve.redact import jsontext
from spansieve.redact.anchors import Hits
from spansieve.redact.compiled import NO_FACTS, CompiledRule, CompiledRules, Detector, KeyFacts

REMOVED = "[REMOVED]"
ERROR = "error"
BUDGET = "budget"

_CONTEXT_BEFORE = 48
_CONTEXT_AFTER = 24
_MOST_PASSES = 8
_ANCHOR = 28  # the longest anchor: seven digits with gaps; a match starts before its anchor's end
_BEFORE = 96  # of what `unless_before` sees
_NOTE = re.compile(r"\[BYTES \d{1,20}\]")

_Finding = tuple[int, int, CompiledRule]
_Places = list[tuple[int, int]]


class _OverBudget(Exception):
    """A value costs more than the policy's limits allow."""


class Run:
    """The rules at work on one request, or one text. Owner of its findings; not used again."""

    def __init__(self, rules: CompiledRules) -> None:
        self.findings: Counter[str] = Counter()
        self._rules = rules
        self._by_anchor = rules.by_anchor
        self._done: dict[tuple[str, str], tuple[str, Counter[str]]] = {}

    def texts(self, texts: Sequence[str], keys: Mapping[int, str], depth: int = 0) -> dict[int, str]:
        """Redact texts, each under its key; a key that says nothing may be left out. Gives what changed, by index."""
        rules = self._rules
        try:
            hits = rules.anchors.scan(texts)
        except Exception:  # noqa: BLE001 - whatever it is: nothing is known of any text, so each goes alone
            return self._one_by_one(texts, keys, depth)
        indexes: Iterable[int] = hits
        if keys and (telling := {key for key in set(keys.values()) if rules.facts(key).whole}):
            indexes = {index for index, key in keys.items() if key in telling}.union(hits)
        changed: dict[int, str] = {}
        done = self._done
        for index in indexes:
            text = texts[index]
            # Spans repeat themselves: what was clean a moment ago still is.
            key = keys.get(index, "")
            known = done.get((key, text))
            if known is None:
                new = self._remembered(text, key, hits.get(index, []), depth)
            else:
                new = known[0]
                if known[1]:
                    self.findings += known[1]
            if new != text:
                changed[index] = new
        return changed

    def _one_by_one(self, texts: Sequence[str], keys: Mapping[int, str], depth: int) -> dict[int, str]:
        changed: dict[int, str] = {}
        for index, text in enumerate(texts):
            try:
                hits = self._rules.anchors.scan([text])
            except Exception:  # noqa: BLE001 - fail closed
                changed[index] = self._remove(ERROR)
            else:
                new = self._remembered(text, keys.get(index, ""), hits.get(0, []), depth)
                if new != text:
                    changed[index] = new
        return changed

    def _remembered(self, text: str, key: str, places: _Places, depth: int) -> str:
        """Redact one text, and remember what became of it and what was found."""
        before, self.findings = self.findings, Counter()
        new = self._guarded(text, key, places, depth)
        self._done[key, text] = new, self.findings
        if self.findings:
            before += self.findings
        self.findings = before
        return new

    def _guarded(self, text: str, key: str, places: _Places, depth: int) -> str:
        try:
            return self._one(text, key, places, depth)
        except _OverBudget:
            self.findings.clear()
            return self._remove(BUDGET)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            self.findings.clear()
            return self._remove(ERROR)

    def _remove(self, why: str) -> str:
        self.findings[why] += 1
        return REMOVED

    def _one(self, text: str, key: str, places: _Places, depth: int) -> str:
        facts = self._rules.facts(key) if key else NO_FACTS
        if facts.whole and (rule := self._whole(text, facts)) is not None:
            self.findings[rule.name] += 1
            return rule.replacement
        if jsontext.looks_like(text):
            whole = jsontext.parses(text)
            text, again = self._json(text, key, depth, whole=whole)
            if whole:
                return text
            if again:
                places = self._places(text)
        return self._plain(text, facts, places)

    def _places(self, text: str) -> _Places:
        hits: Hits = self._rules.anchors.scan([text])
        return hits.get(0, [])

    def _whole(self, text: str, facts: KeyFacts) -> CompiledRule | None:
        """Find the rule that takes the whole value for its key's sake. JSON objects are walked, not erased."""
        if not text or text in self._rules.replacements or _NOTE.fullmatch(text) or jsontext.is_container(text):
            return None
        for rule in facts.whole:
            if rule.key_value is None or rule.key_value.fullmatch(text):
                return rule
        return None

    def _json(self, text: str, key: str, depth: int, *, whole: bool) -> tuple[str, bool]:
        """Redact the leaves of JSON text, and say whether any changed.

        In what does not parse, because it was cut off or only holds some JSON, numbers are left to the plain pass.
        """
        found = jsontext.tokens(text, key)
        if not found:
            return text, False
        if depth >= self._rules.limits.depth:
            raise _OverBudget
        facts_of = self._rules.facts
        leaves = [
            index
            for index, token in enumerate(found)
            if token.kind != jsontext.NUMBER
            or (whole and (jsontext.is_long_number(token.text) or facts_of(token.key).whole))
        ]
        texts = [found[index].text for index in leaves]
        keys = {i: key for i, index in enumerate(leaves) if (key := found[index].key) and facts_of(key) is not NO_FACTS}
        new = self.texts(texts, keys, depth + 1)
        if not new:
            return text, False
        return jsontext.splice(text, found, {leaves[i]: value for i, value in new.items()}), True

    def _plain(self, text: str, facts: KeyFacts, places: _Places) -> str:
        """Run the patterns whose anchors hit, until nothing more is found: a replacement may uncover a neighbour."""
        for _ in range(_MOST_PASSES):
            findings = self._find(text, facts, places) if places else []
            if not findings:
                return text
            text, places = self._replace(text, findings, places)
        raise _OverBudget

    def _find(self, text: str, facts: KeyFacts, places: _Places) -> list[_Finding]:
        limits = self._rules.limits
        budget = limits.checks + limits.checks_per_kib * (len(text) >> 10)
        tried: dict[int, tuple[CompiledRule, list[int]]] = {}
        for at, anchor in places:
            for rule in self._by_anchor[anchor]:
                if rule.index in tried:
                    tried[rule.index][1].append(at)
                elif rule.index not in facts.off:
                    tried[rule.index] = rule, [at]
        found: list[_Finding] = []
        for rule, anchored in tried.values():
            if len(anchored) > 1:
                anchored.sort()
            for detector in rule.detectors:
                budget = _detect(text, facts, rule, detector, anchored, budget, found)
        return found

    def _replace(self, text: str, findings: list[_Finding], places: _Places) -> tuple[str, _Places]:
        """Put replacements in. What overlaps is replaced as one, so that no part of it stays; the longest names it.

        Also gives the places where the remaining anchors are then: those inside of a finding move to its end.
        """
        pieces: list[str] = []
        moved: _Places = []
        places.sort()
        place = 0
        done = size = 0  # characters of the old text that are dealt with; of the new one, so far
        for start, end, rule in _merged(findings):
            self.findings[rule.name] += 1
            pieces += text[done:start], rule.replacement
            while place < len(places) and places[place][0] < start:
                moved.append((places[place][0] - done + size, places[place][1]))
                place += 1
            size += start - done + len(rule.replacement)
            while place < len(places) and places[place][0] < end:
                moved.append((size, places[place][1]))
                place += 1
            done = end
        pieces.append(text[done:])
        moved += [(at - done + size, anchor) for at, anchor in places[place:]]
        return "".join(pieces), moved


def _merged(findings: list[_Finding]) -> Iterator[_Finding]:
    """Findings from left to right, those that overlap as one under the rule of the longest, or else of the first."""
    findings.sort(key=lambda finding: (finding[0], -finding[1], finding[2].index))
    start, end, winner = findings[0]
    longest = end - start
    for next_start, next_end, rule in findings[1:]:
        size = next_end - next_start
        if next_start < end:
            end = max(end, next_end)
            if size > longest or (size == longest and rule.index < winner.index):
                winner, longest = rule, size
        else:
            yield start, end, winner
            start, end, winner, longest = next_start, next_end, rule, size
    yield start, end, winner


def _detect(
    text: str,
    facts: KeyFacts,
    rule: CompiledRule,
    detector: Detector,
    anchored: Sequence[int],
    budget: int,
    found: list[_Finding],
) -> int:
    """Add what one pattern finds around its anchors; give back what remains of the budget."""
    search, check, group = detector.search.search, detector.check, detector.group
    before, after = detector.before, detector.after
    size = len(text)
    done = 0  # up to here the pattern has been tried
    position = 0
    count = len(anchored)
    while position < count:
        low = max(done, anchored[position] - before)
        high = anchored[position] + after
        position += 1
        while position < count and anchored[position] - before <= high:
            high = anchored[position] + after
            position += 1
        high = min(high, size)
        last = anchored[position - 1] + _ANCHOR
        while low <= last and (match := search(text, low, high)) is not None:
            start, end = match.span(group)
            low = match.start() + 1
            budget -= 1
            if _excused(text, start, end, rule, facts, in_context=detector.in_context):
                span = None
            elif check is None:
                span = start, end
            else:
                budget -= detector.cost
                span = check(text, start, end)
            if budget < 0:
                raise _OverBudget
            if span is None:
                continue
            found.append((*span, rule))
            low = max(low, span[1])
        done = low
    return budget


def _excused(text: str, start: int, end: int, rule: CompiledRule, facts: KeyFacts, *, in_context: bool) -> bool:
    """Whether what stands around a candidate, or does not stand there, makes it none."""
    if rule.unless_before is not None and rule.unless_before.search(text[max(0, start - _BEFORE) : start]):
        return True
    if not in_context or rule.index in facts.context or rule.context is None:
        return False
    around = text[max(0, start - _CONTEXT_BEFORE) : start]
    return not (rule.context.search(around) or rule.context.search(text[end : end + _CONTEXT_AFTER]))
