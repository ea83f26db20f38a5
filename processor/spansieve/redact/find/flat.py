"""Texts that hold no JSON: exact patterns where anchors are, also in other readings, and over the ends of texts."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

from spansieve.redact.find import matching, otherwise, replacing, tables
from spansieve.redact.find.joint import Joint
from spansieve.redact.find.matching import Places
from spansieve.redact.find.otherwise import NO_RULES, Otherwise
from spansieve.redact.rules.anchors import COLUMN, ENCODED, ESCAPE, OverBudget, Place
from spansieve.redact.rules.cache import ERROR
from spansieve.redact.rules.compiled import NO_FACTS, CompiledRule, CompiledRules, KeyFacts
from spansieve.redact.rules.judges import Finding
from spansieve.redact.text import fold, media, normalise

REMOVED: Final = "[REMOVED]"
DROP: Final = "\0[DROP]\0"
"""In place of a text whose attribute is to go as a whole."""

BUDGET: Final = "budget"

MOST_PASSES: Final = 8
"""So often a text is looked at again after a replacement in it."""

_DEEP: Final = 64
"""Characters within a finding: what is written otherwise there is no part of anything that goes beyond the finding."""

_ANCHOR = itemgetter(1)

Findings = dict[str, int]
"""How much was found, by rule. No Counter: making one takes longer than counting what a text holds."""

Meeting = tuple[str, list[str]]
"""A key, and texts under it of which one may continue the other."""


def add(findings: Findings, more: Iterable[tuple[str, int]]) -> None:
    """Count more findings."""
    for rule, count in more:
        findings[rule] = findings.get(rule, 0) + count


def count(findings: Findings, names: Iterable[str]) -> None:
    """Count one more finding of each of these rules."""
    for name in names:
        findings[name] = findings.get(name, 0) + 1


class Flat:
    """The rules at work on flat texts, counting what they find."""

    def __init__(self, rules: CompiledRules) -> None:
        self.findings: Findings = {}
        self._rules = rules

    def search(self, text: str) -> Places:
        """Where the anchors of a text are."""
        return self._rules.anchors.scan([text]).get(0, [])

    def _flat(self, text: str, facts: KeyFacts, places: Sequence[Place]) -> str:
        """Redact a text that holds no JSON, or whose JSON is redacted."""
        runs = [at for at, anchor in places if anchor == ENCODED]
        if runs and any(media.at(text, at) for at in runs):
            text, dropped = media.strip(text)
            if dropped:
                add(self.findings, [(media.MEDIA, dropped)])
                places = self.search(text)
                runs = [at for at, anchor in places if anchor == ENCODED]
        return self._plain(text, facts, places, runs)

    def _plain(self, text: str, facts: KeyFacts, places: Sequence[Place], runs: Sequence[int]) -> str:
        """Run the patterns whose anchors hit, until nothing more is found: a replacement may uncover a neighbour.

        `runs` are those of the places where something is encoded.
        """
        rules = self._rules
        kinds = set(map(_ANCHOR, places))
        tried = list(places) if kinds.isdisjoint(NO_RULES) else [each for each in places if each[1] not in NO_RULES]
        escapes = [at for at, anchor in places if anchor == ESCAPE] if ESCAPE in kinds else []
        odd = bool(escapes)
        if (tried or runs) and "\\" in text:
            odd, escapes = True, []
        cells = tables.find(text, places, rules, facts) if COLUMN in kinds else []
        other = Otherwise(tried, rules, facts)
        for _ in range(MOST_PASSES):
            findings, undecided = matching.find(text, rules, facts, tried) if tried or rules.wholes else ([], [])
            findings += cells
            cells = []
            if escapes and findings and not replacing.outside(escapes, findings, _DEEP):
                odd = False
            escapes = []
            if odd:
                findings += other.find(text)
            elif runs:
                decoded = normalise.decoded(text, replacing.outside(runs, findings))
                findings += otherwise.find(decoded, rules, facts, [])[0]
                runs = []
            if not findings:
                return text
            if rules.drops and self._drops(findings):
                return DROP
            text, changes, names, glued = replacing.replace(text, findings)
            if not changes:
                return text
            count(self.findings, names)
            put = replacing.placed(changes) if odd or glued else []
            if glued or (odd and not other.follow(text, changes, put)):
                again = sorted(place for place in self.search(text) if place[1] not in NO_RULES)
                tried = replacing.near(again, put, rules.reach)
                other.restart(again)
            else:
                tried = replacing.beside(undecided, changes, rules.reach)
        raise OverBudget

    def _drops(self, findings: list[Finding]) -> bool:
        """Whether the attribute goes for one of the findings, which are counted then."""
        for finding in findings:
            if finding[2].drops:
                count(self.findings, [rule.name for _, _, rule, _ in replacing.merged(findings)])
                return True
        return False

    def together(self, texts: Sequence[str], key: str, where: int) -> list[str] | None:
        """Find what is split over texts of which one continues the other. None when there is nothing."""
        try:
            joint = Joint(texts)
            findings = self._crossing(joint, key, where, self.search(joint.text))
            if not findings:
                return None
            for start, end, rule, value in replacing.merged(findings):
                self._count(rule)
                joint.replace(start, end, REMOVED if rule.drops else rule.render(value))
            return joint.pieces()
        except OverBudget:
            return [self._remove(BUDGET)] * len(texts)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            return [self._remove(ERROR)] * len(texts)

    def any_split(self, meetings: Sequence[Meeting], where: int) -> bool:
        """Whether anything is split over texts that meet. Raises OverBudget."""
        joints = [Joint(texts) for _, texts in meetings]
        hits = self._rules.anchors.scan([joint.text for joint in joints])
        return any(self._crossing(joints[index], meetings[index][0], where, hits[index]) for index in hits)

    def _crossing(self, joint: Joint, key: str, where: int, places: Iterable[Place]) -> list[Finding]:
        """What is found in more than one piece of a joint."""
        near = joint.beside(place for place in places if place[1] not in NO_RULES)
        if not near and not self._rules.every_text:
            return []
        facts = self._rules.facts(fold.word(key), where) if key or where else NO_FACTS
        findings = matching.find(joint.text, self._rules, facts, near)[0]
        return [finding for finding in findings if joint.crosses(finding[0], finding[1])]

    def _count(self, rule: CompiledRule) -> None:
        add(self.findings, [(rule.name, 1)])

    def _remove(self, why: str) -> str:
        add(self.findings, [(why, 1)])
        return REMOVED
