"""From raw texts to clean ones: anchors over all of them at once, exact patterns where anchors are, JSON inside walked.

Fail closed: a value whose processing raises, costs too much or nests too deep is removed whole, and counted under
`error` or `budget`.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from spansieve.redact import fold, jsontext, matching, media, normalise, numbers, pairs, parts, persons, roles
from spansieve.redact.anchors import CONTEXT, ENCODED, ESCAPE, KEY
from spansieve.redact.cache import WORTH, Known
from spansieve.redact.compiled import NO_FACTS, CompiledRule, CompiledRules, KeyFacts
from spansieve.redact.matching import Finding, OverBudget, Place, Places
from spansieve.redact.normalise import Reading
from spansieve.redact.quoted import Quoted

REMOVED: Final = "[REMOVED]"
DROP: Final = "\0[DROP]\0"
"""In place of a text whose attribute is to go as a whole."""

ERROR: Final = "error"
BUDGET: Final = "budget"

_MOST_PASSES = 8
_LARGE = 2048  # characters of JSON from which on it is asked what of it is known before it is searched
_UNKNOWN: Places = []  # of a text that was not searched
_RAW = "escaped"  # circumstances of a text in its escapes
_NO_RULES = frozenset({ESCAPE, ENCODED, KEY})  # anchors that no rule hangs on

Groups = Iterable[Sequence[int]]
"""Texts, by index, that one may continue the other."""


def _wanted(quoted: Quoted, places: Sequence[Place]) -> dict[int, Places] | None:
    """The strings in which there is something, by number, with the places in each. None when keys or numbers matter."""
    wanted: dict[int, Places] = {}
    words: list[int] = []
    for at, anchor in places:
        if anchor == CONTEXT:
            words.append(at)
            continue
        number = quoted.number(at)
        if anchor == KEY or not number & 1 or (anchor == ESCAPE and quoted.is_key(number)):
            return None
        wanted.setdefault(number, []).append((at - quoted.span(number)[0], anchor))
    for at in words:
        number = quoted.number(at)
        if number in wanted:
            wanted[number].append((at - quoted.span(number)[0], CONTEXT))
    return wanted


def _words_last(place: Place) -> bool:
    return place[1] == CONTEXT


class Run:
    """The rules at work on one request, or one text. Owner of its findings; not used again."""

    def __init__(self, rules: CompiledRules) -> None:
        self.findings: Counter[str] = Counter()
        self.found_in: dict[int, Counter[str]] = {}  # by index of the texts last given to `texts`
        self._rules = rules
        self._done: dict[tuple[str, int, str], tuple[str, Counter[str]]] = {}

    def texts(
        self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int] = (), groups: Groups = ()
    ) -> dict[int, str]:
        """Redact texts. Gives what changed, by index.

        Each stands under its key; a key that says nothing may be left out. `wheres` says where each stands (see
        CompiledRules.at), and may be left out when no rule asks.
        """
        held = [index for index, text in enumerate(texts) if len(text) >= _LARGE and text[0] in "[{"]
        try:
            if held:
                others = list(texts)
                for index in held:
                    others[index] = ""
                hits = self._rules.anchors.scan(others) | dict.fromkeys(held, _UNKNOWN)
            else:
                hits = self._rules.anchors.scan(texts)
        except Exception:  # noqa: BLE001 - whatever it is: nothing is known of any text, so each goes alone
            return self._one_by_one(texts, keys, wheres)
        return self._all(texts, keys, wheres, groups, hits, 0)

    def _all(
        self,
        texts: Sequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        groups: Groups,
        hits: Mapping[int, Places],
        depth: int,
    ) -> dict[int, str]:
        indexes: Iterable[int] = hits
        if self._rules.every_text:
            indexes = range(len(texts))
        elif telling := self._telling(keys, wheres, len(texts)):
            indexes = telling.union(indexes)
        changed: dict[int, str] = {}
        done = self._done
        for index in indexes:
            text = texts[index]
            # Spans repeat themselves: what was clean a moment ago still is.
            key = keys.get(index, "")
            where = wheres[index] if wheres else 0
            known = done.get((key, where, text))
            if known is None or not self._rules.sealing.isdisjoint(known[1]):
                new = self._remembered(text, key, where, hits.get(index, ()), depth)
            else:
                new = known[0]
                if known[1]:
                    self.findings += known[1]
            if new != text:
                changed[index] = new
                if depth == 0:
                    self.found_in[index] = done[key, where, text][1]
        for group in groups:
            before, self.findings = self.findings, Counter()
            self._together(group, texts, keys, wheres, changed)
            if self.findings and depth == 0:
                first = next(index for index in group if index in changed)
                self.found_in[first] = self.found_in.get(first, Counter()) + self.findings
            self.findings += before
        return changed

    def _telling(self, keys: Mapping[int, str], wheres: Sequence[int], size: int) -> set[int]:
        """The texts that may be taken for their key's sake."""
        facts = self._rules.facts
        if wheres:
            return {index for index in range(size) if facts(keys.get(index, ""), wheres[index]).whole}
        telling = {key for key in set(keys.values()) if facts(fold.word(key)).whole}
        return {index for index, key in keys.items() if key in telling} if telling else set()

    def _one_by_one(self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int]) -> dict[int, str]:
        changed: dict[int, str] = {}
        for index, text in enumerate(texts):
            try:
                hits = self._rules.anchors.scan([text])
            except Exception:  # noqa: BLE001 - fail closed
                changed[index] = self._remove(ERROR)
                self.found_in[index] = Counter({ERROR: 1})
            else:
                where = wheres[index] if wheres else 0
                new = self._remembered(text, keys.get(index, ""), where, hits.get(0, ()), 0)
                if new != text:
                    changed[index] = new
                    self.found_in[index] = self._done[keys.get(index, ""), where, text][1]
        return changed

    def _remembered(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> str:
        """Redact one text, and remember what became of it and what was found."""
        cache = self._rules.cache
        digest = cache.digest(text, f"{key}\0{where}\0{depth}") if len(text) >= WORTH else None
        if digest is not None and (known := cache.get(digest)) is not None:
            new, found = text if known[0] is None else known[0], Counter(dict(known[1]))
            self._done[key, where, text] = new, found
            self.findings += found
            return new
        before, self.findings = self.findings, Counter()
        new = self._guarded(text, key, where, places, depth)
        found = self.findings
        self._done[key, where, text] = new, found
        if digest is not None and ERROR not in found and self._rules.sealing.isdisjoint(found):
            cache.put(digest, None if new == text else new, found)
        if found:
            before += found
        self.findings = before
        return new

    def _guarded(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> str:
        try:
            return self._one(text, key, where, places, depth)
        except (OverBudget, normalise.TooDeep):
            self.findings.clear()
            return self._remove(BUDGET)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            self.findings.clear()
            return self._remove(ERROR)

    def _remove(self, why: str) -> str:
        self.findings[why] += 1
        return REMOVED

    def _one(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> str:
        facts = self._rules.facts(fold.word(key), where) if key or where else NO_FACTS
        if facts.whole and (rule := self._whole(text, facts)) is not None:
            self._count(rule)
            return DROP if rule.drops else rule.render(text)
        if places is _UNKNOWN:
            if (done := self._large(text, key, where, depth)) is not None:
                return done
            places = self._scan(text)
        if jsontext.looks_like(text):
            whole = jsontext.parses(text)
            text, again = self._json(text, key, where, places, depth, whole=whole)
            if whole:
                return text
            if again:
                places = self._scan(text)
        if any(anchor == ENCODED and media.at(text, at) for at, anchor in places):
            text, dropped = media.strip(text)
            if dropped:
                self.findings[media.MEDIA] += dropped
                places = self._scan(text)
        return self._plain(text, facts, places)

    def _large(self, text: str, key: str, where: int, depth: int) -> str | None:
        """Redact a large JSON text, of which much may be known. None when that takes more than its strings."""
        if not jsontext.parses(text):
            return None
        done = self._quoted(text, key, where, None, depth)
        return None if done is None else done[0]

    def _count(self, rule: CompiledRule) -> None:
        self.findings[rule.name] += 1

    def _scan(self, text: str) -> Places:
        return self._rules.anchors.scan([text]).get(0, [])

    def _whole(self, text: str, facts: KeyFacts) -> CompiledRule | None:
        """Find the rule that takes the whole value for its key's sake. JSON objects are walked, not erased."""
        if not text or self._rules.made(text) or media.NOTE.fullmatch(text):
            return None
        container: bool | None = None
        for rule in facts.whole:
            if rule.key_value is not None and not rule.key_value.fullmatch(text):
                continue
            if not rule.takes_json:
                if container is None:
                    container = jsontext.is_container(text)
                if container:
                    continue
            return rule
        return None

    def _json(
        self, text: str, key: str, where: int, places: Sequence[Place], depth: int, *, whole: bool
    ) -> tuple[str, bool]:
        """Redact the leaves of JSON text, and say whether any changed.

        In what does not parse, because it was cut off or only holds some JSON, numbers are left to the plain pass.
        """
        if depth < self._rules.limits.depth and whole:
            done = self._quoted(text, key, where, places, depth)
            if done is not None:
                return done
        found = jsontext.tokens(text, key, whole=whole)
        if not found:
            return text, False
        if depth >= self._rules.limits.depth:
            raise OverBudget
        facts_of = self._rules.facts
        leaves = [
            index
            for index, token in enumerate(found)
            if token.kind != jsontext.NUMBER
            or (whole and (jsontext.is_long_number(token.text) or facts_of(fold.word(token.key), where).whole))
        ]
        members = [found[index] for index in leaves]
        texts = [numbers.plain(token.text) if token.kind == jsontext.NUMBER else token.text for token in members]
        keys = {i: token.key for i, token in enumerate(members) if token.key}
        keys |= pairs.named(text, members) | persons.named(text, members)
        wheres = self._wheres(text, members, where)
        settled, fresh = self._recalled(texts, keys, wheres, depth + 1)
        hits = self._handed_down(texts, members, places, settled)
        new = self._all(texts, keys, wheres, parts.of_tokens(members), hits, depth + 1)
        for index, digest in fresh.items():
            if index not in hits and index not in new:
                self._rules.cache.put(digest, None, {})
        if not new:
            return text, False
        put = {leaves[i]: "" if value == DROP else value for i, value in new.items()}
        return jsontext.splice(text, found, put), True

    def _quoted(
        self, text: str, key: str, where: int, places: Sequence[Place] | None, depth: int
    ) -> tuple[str, bool] | None:
        """The same for whole JSON of which only strings matter, looking only at those that do. None when more does.

        A conversation sends all its messages again each turn: what is known is not even searched for anchors, when
        `places` are not there yet.
        """
        rules = self._rules
        if rules.facts(fold.word(key), where).whole or not self._only_strings(text):
            return None
        quoted = Quoted(text)
        groups = quoted.groups()
        if groups is None:
            return None
        settled, fresh = self._settled(text, quoted, where, depth)
        if places is None:
            places = self._beside(quoted, settled)
        wanted = _wanted(quoted, places)
        escaped = frozenset(quoted.escaped()).difference(settled) if "\\" in text else frozenset[int]()
        if wanted is None or any(map(quoted.is_key, escaped)):
            return None
        changing = {number for number, known in settled.items() if known[0] is not None}
        looked_at = (wanted.keys() - settled.keys()) | escaped
        members = sorted(looked_at.union(changing, *groups))
        order = {number: index for index, number in enumerate(members)}
        leaves = [quoted.leaf(number, key) for number in members]
        texts = [leaf.text for leaf in leaves]
        hits = {order[number]: wanted[number] for number in looked_at - escaped}
        again = [order[number] for number in escaped]
        for index, found in rules.anchors.scan([texts[index] for index in again]).items() if again else ():
            hits[again[index]] = found
        for number in changing:
            leaf = leaves[order[number]]
            new, found_there = settled[number]
            self._done[leaf.key, where, leaf.text] = new or "", Counter(dict(found_there))
            hits[order[number]] = []
        changed = self._all(
            texts,
            {index: leaf.key for index, leaf in enumerate(leaves) if leaf.key},
            [where] * len(texts) if where else (),
            [[order[number] for number in group] for group in groups],
            hits,
            depth + 1,
        )
        for number, digest in fresh.items():
            index = order.get(number, -1)
            self._settle(digest, leaves[index] if index in hits else None, where)
        if not changed:
            return text, False
        put = {index: "" if value == DROP else value for index, value in changed.items()}
        return jsontext.splice(text, leaves, put), True

    def _settled(self, text: str, quoted: Quoted, where: int, depth: int) -> tuple[dict[int, Known], dict[int, bytes]]:
        """Of the long strings of JSON, by number: what became of those that are known, and the others' digests."""
        cache = self._rules.cache
        settled: dict[int, Known] = {}
        fresh: dict[int, bytes] = {}
        for number in quoted.long(WORTH):
            of = quoted.key(number)
            key = "" if of is None else text[slice(*quoted.span(of))]
            digest = cache.digest(text[slice(*quoted.span(number))], f"{_RAW}\0{key}\0{where}\0{depth}")
            known = cache.get(digest)
            if known is None:
                fresh[number] = digest
            else:
                settled[number] = known
        return settled, fresh

    def _settle(self, digest: bytes, leaf: jsontext.Token | None, where: int) -> None:
        """Remember what became of a string of JSON; None is one in which there is nothing."""
        if leaf is None:
            self._rules.cache.put(digest, None, {})
            return
        new, found = self._done.get((leaf.key, where, leaf.text), (None, Counter[str]()))
        if new is not None and ERROR not in found and self._rules.sealing.isdisjoint(found):
            self._rules.cache.put(digest, None if new == leaf.text else new, found)

    def _beside(self, quoted: Quoted, settled: Iterable[int]) -> Places:
        """The anchors of a JSON text outside of the strings that are settled."""
        pieces, starts = quoted.outside(sorted(settled))
        hits = self._rules.anchors.scan(pieces)
        return [(starts[index] + at, anchor) for index, found in hits.items() for at, anchor in found]

    def _only_strings(self, text: str) -> bool:
        """Whether no rule asks for more of JSON than its strings: not for roles, pairs or names beside other keys."""
        rules = self._rules
        return not (rules.every_text or rules.by_role or 'ame"' in text or '["' in text)

    def _wheres(self, text: str, members: Sequence[jsontext.Token], where: int) -> Sequence[int]:
        if self._rules.by_role:
            return roles.wheres(text, [token.start for token in members], where, self._rules.with_role)
        return [where] * len(members) if where else ()

    def _recalled(
        self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int], depth: int
    ) -> tuple[dict[int, Places], dict[int, bytes]]:
        """The long leaves that are known from before, with no places to look at; the digests of the others.

        A conversation sends all its messages again each turn: what is known is not even searched for anchors.
        """
        cache, done = self._rules.cache, self._done
        settled: dict[int, Places] = {}
        fresh: dict[int, bytes] = {}
        for index, text in enumerate(texts):
            if len(text) >= WORTH:
                key = keys.get(index, "")
                where = wheres[index] if wheres else 0
                digest = cache.digest(text, f"{key}\0{where}\0{depth}")
                known = cache.get(digest)
                if known is None:
                    fresh[index] = digest
                else:
                    settled[index] = []
                    done[key, where, text] = text if known[0] is None else known[0], Counter(dict(known[1]))
        return settled, fresh

    def _handed_down(
        self, texts: list[str], members: list[jsontext.Token], places: Sequence[Place], settled: Mapping[int, Places]
    ) -> dict[int, Places]:
        """The anchors of leaves: those of the text around them where a leaf stands as it is, else found anew."""
        hits: dict[int, Places] = dict(settled)
        starts: list[int] = []
        again: list[int] = []
        for index, token in enumerate(members):
            start = token.start + (token.kind != jsontext.NUMBER)
            starts.append(start)
            if index in settled:
                continue
            if token.end - start - (token.closed and token.kind != jsontext.NUMBER) != len(texts[index]):
                again.append(index)
        escaped = {*again, *settled}
        for at, anchor in sorted(places, key=_words_last):
            index = bisect_right(starts, at) - 1
            if index >= 0 and index not in escaped and (offset := at - starts[index]) < len(texts[index]):
                if anchor != CONTEXT:
                    hits.setdefault(index, []).append((offset, anchor))
                elif index in hits:
                    hits[index].append((offset, anchor))
        if again:
            scanned = self._rules.anchors.scan([texts[index] for index in again])
            for i, found in scanned.items():
                hits[again[i]] = found
        return hits

    def _plain(self, text: str, facts: KeyFacts, places: Sequence[Place]) -> str:
        """Run the patterns whose anchors hit, until nothing more is found: a replacement may uncover a neighbour."""
        rules = self._rules
        runs = [at for at, anchor in places if anchor == ENCODED]
        tried = [place for place in places if place[1] not in _NO_RULES]
        odd = any(anchor == ESCAPE for _, anchor in places) or (bool(tried) and "\\" in text)
        remaining = tried
        for _ in range(_MOST_PASSES):
            findings, undecided = matching.find(text, rules, facts, tried) if tried or rules.wholes else ([], [])
            if odd:
                findings += self._otherwise(normalise.readings(text), facts)
            elif runs:
                findings += self._otherwise(normalise.decoded(text, matching.outside(runs, findings)), facts)
                runs = []
            if not findings:
                return text
            if any(rule.drops for _, _, rule, _ in findings):
                for rule in (rule for _, _, rule, _ in matching.merged(findings)):
                    self._count(rule)
                return DROP
            text, remaining, changed = matching.replace(text, findings, undecided, self._count)
            if not changed:
                return text
            if matching.glued(text, changed):
                remaining = [place for place in self._scan(text) if place[1] not in _NO_RULES]
                remaining.sort()
            tried = matching.near(remaining, changed, rules.reach)
        raise OverBudget

    def _otherwise(self, readings: Sequence[Reading], facts: KeyFacts) -> list[Finding]:
        """Find what stands in other readings of a text, as findings in the text itself."""
        if not readings:
            return []
        found: list[Finding] = []
        scanned = self._rules.anchors.scan([reading.text for reading in readings])
        for index, reading in enumerate(readings):
            places = [place for place in scanned.get(index, ()) if place[1] not in _NO_RULES]
            if not places and not self._rules.every_text:
                continue
            if reading.changed is not None:  # elsewhere it is as the original, or as the reading before
                places.sort()
                places = matching.near(places, reading.changed, self._rules.reach)
            for start, end, rule, value in matching.find(reading.text, self._rules, facts, places)[0]:
                span = reading.span(start, end)
                if span is not None:
                    found.append((*span, rule, value))
        return found

    def _together(
        self,
        group: Sequence[int],
        texts: Sequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        changed: dict[int, str],
    ) -> None:
        """Find what is split over texts of which one continues the other, in what remains of them."""
        pieces = [changed.get(index, texts[index]) for index in group]
        where = wheres[group[0]] if wheres else 0
        key = keys.get(group[0], "")
        try:
            joint = parts.Joint(pieces)
            places = joint.beside(place for place in self._scan(joint.text) if place[1] not in _NO_RULES)
            if not places and not self._rules.every_text:
                return
            facts = self._rules.facts(fold.word(key), where) if key or where else NO_FACTS
            findings = [
                finding
                for finding in matching.find(joint.text, self._rules, facts, places)[0]
                if joint.crosses(finding[0], finding[1])
            ]
            if not findings:
                return
            for start, end, rule, value in matching.merged(findings):
                self._count(rule)
                joint.replace(start, end, REMOVED if rule.drops else rule.render(value))
            new = joint.pieces()
        except OverBudget:
            new = [self._remove(BUDGET)] * len(pieces)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            new = [self._remove(ERROR)] * len(pieces)
        changed.update({i: piece for i, piece in zip(group, new, strict=True) if piece != texts[i]})
