"""What stands in other readings of a text, as findings in the text itself.

A reading differs from the text in some spans only. Elsewhere its anchors are those of the text, and what is found at
them is found in the text: so it is searched, and matched, near these spans alone.
"""

from collections.abc import Sequence
from itertools import chain

from spansieve.redact.find import matching, replacing
from spansieve.redact.find.matching import Places
from spansieve.redact.find.replacing import Change
from spansieve.redact.rules.anchors import COLUMN, ENCODED, ESCAPE, KEY, Hits, Place
from spansieve.redact.rules.compiled import CompiledRules, KeyFacts
from spansieve.redact.rules.judges import Finding
from spansieve.redact.text import normalise
from spansieve.redact.text.excerpt import Excerpt, Span
from spansieve.redact.text.normalise import Atom, Reading

NO_RULES = frozenset({ESCAPE, ENCODED, KEY, COLUMN})
"""Anchors that no rule hangs on."""


class Otherwise:
    """The other readings of one text, while values in it are replaced."""

    __slots__ = ("_atoms", "_facts", "_known", "_rules", "_searched", "_waiting")

    def __init__(self, places: Places, rules: CompiledRules, facts: KeyFacts) -> None:
        """Take a text with anchors at these places, in order, under a key of these facts."""
        self._rules, self._facts = rules, facts
        self._known = places
        self._atoms: list[Atom] | None = None  # of the text, when nothing is written otherwise within them
        self._searched = False  # whether `_known` are places of readings too, and all that there is to look at
        self._waiting: Places | None = []  # from which more may be found once their neighbours are others; see `find`

    def find(self, text: str) -> list[Finding]:
        """Find what stands in other readings of the text as it is by now. Raises OverBudget and TooDeep."""
        if self._searched and not self._known:
            return []
        if self._searched and self._atoms is not None:
            readings = normalise.again(text, self._atoms)
        else:
            atoms = normalise.atoms(text)
            readings = normalise.readings(text, atoms)
            self._atoms = atoms if all(reading.is_direct for reading in readings) else None
        found, left = find(readings, self._rules, self._facts, self._known, searched=self._searched)
        if left is None or self._waiting is None:
            self._waiting = None
        else:
            self._waiting = sorted({*self._waiting}.difference(self._known).union(left))
        return found

    def follow(self, text: str, changes: Sequence[Change], put: Sequence[Span]) -> bool:
        """Follow what was replaced, and stands in a text at `put`. False: the text is to be searched, for `restart`."""
        if self._waiting is None or self._rules.wholes or replacing.before_escape(text, put):
            return False
        self._waiting = replacing.moved(self._waiting, changes)
        if self._atoms is not None:
            self._atoms = replacing.outside_of(self._atoms, changes)
        self._known = replacing.near(self._waiting, put, self._rules.reach)
        self._searched = True
        return True

    def restart(self, places: Places) -> None:
        """Begin anew, with all places at which there are anchors in the text as it is by now."""
        self._known, self._searched, self._waiting = places, False, []


def find(
    readings: Sequence[Reading], rules: CompiledRules, facts: KeyFacts, places: Places, *, searched: bool = False
) -> tuple[list[Finding], Places | None]:
    """Find what stands in readings of a text, and the places of the text from which more may be once others change.

    `places` are those of the anchors of the text, in order. When the readings were `searched`, before something else in
    the text was replaced, theirs are among them; None says that they have to be searched again, since some are in what
    the text does not have. Raises OverBudget.
    """
    found: list[Finding] = []
    left: set[Place] = set()
    whole = True
    excerpts = [None if each.changed is None else Excerpt(each.text, each.near()) for each in readings]
    hits: Hits = {}
    if readings and not searched:
        pairs = zip(readings, excerpts, strict=True)
        hits = rules.anchors.scan([reading.text if part is None else part.text for reading, part in pairs])
    bases = {reading.base for reading in readings}
    of_reading: dict[Reading | None, Sequence[Place]] = {None: places}
    for index, (reading, excerpt) in enumerate(zip(readings, excerpts, strict=True)):
        here = sorted(place for place in hits.get(index, ()) if place[1] not in NO_RULES)
        tried, any_here = here, bool(here)
        if excerpt is not None and reading.changed is not None:
            carried = reading.carried(of_reading[reading.base])
            here = excerpt.placed(here)
            any_here = bool(here or carried)
            near = (replacing.near(each, reading.changed, rules.reach) for each in (here, carried))
            tried = sorted(set(chain.from_iterable(near)))
            here = sorted({*here, *carried}) if reading in bases else []
        of_reading[reading] = here
        if not tried and not (rules.wholes and (any_here or rules.every_text)):
            continue
        hit, remaining = matching.find(reading.text, rules, facts, tried)
        for start, end, rule, value in hit:
            span = reading.span(start, end)
            if span is None:
                remaining = tried
            else:
                found.append((*span, rule, value))
        if reading.changed is not None:
            for at, anchor in remaining:
                original = reading.original(at)
                if original is None:
                    whole = False
                else:
                    left.add((original, anchor))
    return found, sorted(left) if whole else None
