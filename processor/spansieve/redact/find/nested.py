"""One text after another, with the JSON inside: each leaf of it is a text of its own, under its nearest key.

Fail closed: a value whose processing raises, costs too much or nests too deep is removed whole, and counted under
`error` or `budget`.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from spansieve.redact.find import bodies, carried, pairs, persons, rows
from spansieve.redact.find.bodies import Body
from spansieve.redact.find.flat import BUDGET, DROP, MOST_PASSES, Findings, Flat, add
from spansieve.redact.find.matching import Places
from spansieve.redact.rules import roles
from spansieve.redact.rules.anchors import COLUMN, ENCODED, ESCAPE, KEY, OverBudget, Place
from spansieve.redact.rules.cache import ERROR, NOTHING, WORTH, Known
from spansieve.redact.rules.compiled import NO_FACTS, CompiledRule, CompiledRules, KeyFacts
from spansieve.redact.text import fold, jsontext, media, normalise, numbers, parts

LARGE = WORTH
"""Characters of JSON from which on its strings are searched, and not the text around them."""

_CHEAP: Final = 2048  # characters to an anchor: with fewer anchors, to name a text costs more than to look at it again
_HEAVY: Final = frozenset({ESCAPE, ENCODED, KEY, COLUMN})  # anchors for whose sake much of a text is read

Groups = Iterable[Sequence[int]]
"""Texts, by index, that one may continue the other."""

Looked = set[tuple[str, int, str]]
"""Leaves in which nothing is left to find: the key, the place, the text."""


def in_utf8(text: str) -> bytes:
    """Write a text in UTF-8. No parser takes a lone surrogate in it: such a text takes the longer road."""
    return text.encode("utf-8", "surrogatepass")


def outcome(text: str, known: Known[str]) -> tuple[str, Findings]:
    """What became of a text of which that is known, and what was found in it."""
    return text if known.new is None else known.new, dict(known.found)


class Nested(Flat):
    """The rules at work on texts that may hold JSON. `found_in` is by index of the texts last given to a run."""

    def __init__(self, rules: CompiledRules) -> None:
        super().__init__(rules)
        self.found_in: dict[int, Counter[str]] = {}
        self._done: dict[tuple[str, int, str], tuple[str, Findings]] = {}

    def _body(self, text: bytes, key: str, where: int, depth: int) -> Body | None:
        if jsontext.too_many(text):
            return None
        try:
            return bodies.body(text, key, where, depth, self._rules)
        except Exception:  # noqa: BLE001 - whatever it is: the text takes the longer road, where it is guarded
            return None

    def _all(
        self,
        texts: Sequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        hits: Mapping[int, Places],
        settled: Mapping[int, Known[str]],
        depth: int,
    ) -> dict[int, str]:
        """Redact texts with these anchors. Of those that are settled it is known what became of them."""
        indexes: Iterable[int] = [*settled, *hits]
        if self._rules.every_text:
            indexes = range(len(texts))
        elif telling := self._telling(keys, wheres, len(texts)):
            indexes = telling.union(indexes)
        changed: dict[int, str] = {}
        for index in indexes:
            text = texts[index]
            if (known := settled.get(index)) is not None:
                new, found = outcome(text, known)
            else:
                key = keys.get(index, "")
                new, found = self._remembered(text, key, wheres[index] if wheres else 0, hits.get(index, ()), depth)
            if found:
                add(self.findings, found.items())
            if new != text:
                changed[index] = new
                if depth == 0:
                    self.found_in[index] = Counter(found)
        return changed

    def _groups(
        self,
        groups: Groups,
        texts: Sequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        changed: dict[int, str],
        depth: int,
    ) -> None:
        """Redact what is split over texts, in what remains of them."""
        for group in groups:
            before, self.findings = self.findings, {}
            key, where = keys.get(group[0], ""), wheres[group[0]] if wheres else 0
            new = self.together([changed.get(index, texts[index]) for index in group], key, where)
            if new is not None:
                changed.update({i: text for i, text in zip(group, new, strict=True) if text != texts[i]})
            found, self.findings = self.findings, before
            if found and depth == 0:
                first = next(index for index in group if index in changed)
                self.found_in[first] = self.found_in.get(first, Counter()) + Counter(found)
            add(self.findings, found.items())

    def _telling(self, keys: Mapping[int, str], wheres: Sequence[int], size: int) -> set[int]:
        """The texts that may be taken for their key's sake."""
        facts = self._rules.facts
        if wheres:
            return {index for index in range(size) if facts(keys.get(index, ""), wheres[index]).whole}
        telling = {key for key in set(keys.values()) if facts(fold.word(key)).whole}
        return {index for index, key in keys.items() if key in telling} if telling else set()

    def string(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> tuple[str, Findings]:
        """Redact a text. Gives what was found, too, which is not counted yet."""
        before, self.findings = self.findings, {}
        try:
            new = self._one(text, key, where, places, depth)
        except (OverBudget, normalise.TooDeep):
            self.findings.clear()
            new = self._remove(BUDGET)
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            self.findings.clear()
            new = self._remove(ERROR)
        found, self.findings = self.findings, before
        return new, found

    def _remembered(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> tuple[str, Findings]:
        """Redact one text, or recall what became of it. Gives what was found, too, which is not counted yet."""
        digest: bytes | None = None
        # Spans repeat themselves: what was clean a moment ago still is.
        if len(text) < WORTH:
            known = self._done.get((key, where, text))
            if known is not None and self._rules.sealing.isdisjoint(known[1]):
                return known
        elif self._is_worth(text, places):
            digest = self._rules.cache.digest(text, bodies.around("text", key, where, depth, self._rules))
            if (seen := self._rules.cache.get(digest)) is not None:
                return outcome(text, seen)
        new, found = self.string(text, key, where, places, depth)
        if len(text) < WORTH:
            self._done[key, where, text] = new, found
        elif digest is not None and self._rules.may_remember(found):
            self._rules.cache.put(digest, Known.of(text, new, found))
        return new, found

    def _is_worth(self, text: str, places: Sequence[Place]) -> bool:
        """Whether to look a long text up costs less than to redact it again."""
        if len(places) * _CHEAP > len(text) or self._rules.wholes:
            return True
        return not _HEAVY.isdisjoint(anchor for _, anchor in places) or jsontext.looks_like(text)

    def _one(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> str:
        facts = self._rules.facts(fold.word(key), where) if key or where else NO_FACTS
        if facts.whole and (rule := self._whole(text, facts)) is not None:
            self._count(rule)
            return DROP if rule.drops else rule.render(text)
        if not jsontext.looks_like(text):
            return self._flat(text, facts, places)
        if jsontext.too_many(text):
            raise OverBudget
        if jsontext.starts(text):
            if jsontext.parses(text):
                return self._json(text, key, where, places, depth)
            if depth < self._rules.limits.depth and (new := self._lines(text, key, where, depth)) is not None:
                return new
        return self._mixed(text, key, where, places, depth, facts)

    def _lines(self, text: str, key: str, where: int, depth: int) -> str | None:
        """Redact JSON texts of which each is a line. None when it is something else, or to be read by tokens."""
        listed = jsontext.lines_listed(text)
        body = None if listed is None else self._body(in_utf8(listed), key, where, depth)
        if body is None:
            return None
        new = body.redact(self, self._rules.anchors.scan(body.texts), 0).decode()
        return jsontext.lines_of(new, text)

    def _mixed(self, text: str, key: str, where: int, places: Sequence[Place], depth: int, facts: KeyFacts) -> str:
        """Redact a text that holds some JSON, or JSON that was cut off."""
        known: Sequence[Place] | None = places
        looked: Looked = set()
        for times in range(MOST_PASSES):
            again = False
            if facts.whole or jsontext.tells(text):
                text, again = self._tokens(text, key, where, known, depth, looked)
            if again:
                known = None
            elif times:
                return text
            new = self._flat(text, facts, self.search(text) if known is None else known)
            if new in (text, DROP):
                return new
            text, known = new, None  # what was put in may have made plain text of a string in it
        raise OverBudget

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

    def _json(self, text: str, key: str, where: int, places: Sequence[Place], depth: int) -> str:
        """Redact the leaves of JSON text."""
        if depth < self._rules.limits.depth and (len(text) < LARGE or depth):
            body = self._body(in_utf8(text), key, where, depth) if text[0] in '[{"' else None
            if body is not None:
                return body.redact(self, self._rules.anchors.scan(body.texts), 0).decode()
        return self._tokens(text, key, where, places, depth)[0]

    def by_tokens(self, text: str, where: int, places: Sequence[Place], depth: int) -> str:
        """Redact JSON that parses token by token."""
        return self._tokens(text, "", where, places, depth)[0]

    def _tokens(
        self,
        text: str,
        key: str,
        where: int,
        places: Sequence[Place] | None,
        depth: int,
        looked: Looked | None = None,
    ) -> tuple[str, bool]:
        """Redact the leaves of JSON text, token by token, and say whether any changed. None: its places are not known.

        Of what does not parse, because it was cut off or only holds some JSON, it is noted which leaves were `looked`
        at, which need not be again. Numbers in it, and what is but quoted, are left to the plain pass.
        """
        whole = looked is None
        found = jsontext.tokens(text, key, whole=whole)
        facts_of = self._rules.facts
        leaves = [
            index
            for index, token in enumerate(found)
            if token.kind != jsontext.NUMBER
            or jsontext.is_long_number(token.text)
            or facts_of(fold.word(token.key), where).whole
        ]
        members = [found[index] for index in leaves]
        names = pairs.named(text, members) | persons.named(text, members) | rows.named(text, members)
        if not whole and not self._rules.by_role and not facts_of(fold.word(key), where).whole:
            listed = parts.listed(text, members) if parts.carries_parts(key) else ()
            kept = [
                i
                for i, token in enumerate(members)
                if i in names or i in listed or not jsontext.is_quoted(text, token, key)
            ]
            names = {number: names[i] for number, i in enumerate(kept) if i in names}
            leaves, members = [leaves[i] for i in kept], [members[i] for i in kept]
        if not members:
            return text, False
        if depth >= self._rules.limits.depth:
            raise OverBudget
        texts = [numbers.plain(token.text) if token.kind == jsontext.NUMBER else token.text for token in members]
        keys = {i: token.key for i, token in enumerate(members) if token.key} | names
        wheres = self._wheres(text, members, where)
        settled, fresh = self._recalled(texts, keys, wheres, depth + 1)
        of = [(keys.get(i, ""), wheres[i] if wheres else 0, leaf) for i, leaf in enumerate(texts)]
        if looked:
            settled |= {i: NOTHING for i, each in enumerate(of) if each in looked}
        hits = self._handed_down(texts, members, places, settled)
        new = self._all(texts, keys, wheres, hits, settled, depth + 1)
        self._groups(parts.of_tokens(members), texts, keys, wheres, new, depth + 1)
        for index, digest in fresh.items():
            if index not in hits and index not in new:
                self._rules.cache.put(digest, NOTHING)
        if looked is not None:
            looked.update((name, place, new.get(i, leaf)) for i, (name, place, leaf) in enumerate(of))
        if not new:
            return text, False
        put = {leaves[i]: "" if value == DROP else value for i, value in new.items()}
        return jsontext.splice(text, found, put), True

    def _wheres(self, text: str, members: Sequence[jsontext.Token], where: int) -> Sequence[int]:
        if self._rules.by_role:
            return roles.wheres(text, [token.start for token in members], where, self._rules.with_role)
        return [where] * len(members) if where else ()

    def _recalled(
        self, texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int], depth: int
    ) -> tuple[dict[int, Known[str]], dict[int, bytes]]:
        """What became of the long leaves that are known from before; the digests of the others.

        A conversation sends all its messages again each turn: what is known is not even searched for anchors. So it has
        to be held from here on: asked for again, it may have been forgotten.
        """
        cache = self._rules.cache
        settled: dict[int, Known[str]] = {}
        fresh: dict[int, bytes] = {}
        for index, text in enumerate(texts):
            if len(text) >= WORTH:
                key = keys.get(index, "")
                where = wheres[index] if wheres else 0
                digest = cache.digest(text, bodies.around("text", key, where, depth, self._rules))
                known = cache.get(digest)
                if known is None:
                    fresh[index] = digest
                else:
                    settled[index] = known
        return settled, fresh

    def _handed_down(
        self,
        texts: list[str],
        members: list[jsontext.Token],
        places: Sequence[Place] | None,
        settled: Mapping[int, Known[str]],
    ) -> dict[int, Places]:
        """The anchors of leaves: those of the text around them where a leaf stands as it is, else found anew."""
        hits: dict[int, Places] = {}
        starts: list[int] = []
        again: list[int] = []
        for index, token in enumerate(members):
            start = token.start + (token.kind != jsontext.NUMBER)
            starts.append(start)
            if index in settled:
                continue
            as_is = token.end - start - (token.closed and token.kind != jsontext.NUMBER) == len(texts[index])
            if places is None or not as_is:
                again.append(index)
        escaped = {*again, *settled}
        for at, anchor in places or ():
            index = bisect_right(starts, at) - 1
            if index >= 0 and index not in escaped and (offset := at - starts[index]) < len(texts[index]):
                hits.setdefault(index, []).append((offset, anchor))
        if again:
            scanned = self._rules.anchors.scan([texts[index] for index in again])
            for i, found in scanned.items():
                hits[again[i]] = found
        return hits

    def again(self, old: str, new: str, where: int) -> str:
        """Redact what is split over the strings of a JSON text, which is given as it came and as it is by now."""
        found = carried.strings_of(old, new)
        put: dict[int, str] = {}
        for group in parts.of_tokens(found):
            pieces = self.together([found[index].text for index in group], found[group[0]].key, where)
            if pieces is not None:
                put.update({i: piece for i, piece in zip(group, pieces, strict=True) if piece != found[i].text})
        return jsontext.splice(new, found, put) if put else new
