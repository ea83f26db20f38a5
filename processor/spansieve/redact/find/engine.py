"""From raw texts to clean ones: anchors over all of them at once, exact patterns where anchors are, JSON inside walked.

Fail closed: a value whose processing raises, costs too much or nests too deep is removed whole, and counted under
`error` or `budget`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from types import MappingProxyType
from typing import Final

from spansieve.redact.find import bodies
from spansieve.redact.find.bodies import Body
from spansieve.redact.find.flat import BUDGET, DROP, REMOVED, add
from spansieve.redact.find.matching import Places
from spansieve.redact.find.nested import LARGE, Groups, Nested, in_utf8, outcome
from spansieve.redact.rules.anchors import OverBudget
from spansieve.redact.rules.cache import ERROR
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.text import fold, normalise

__all__ = ["DROP", "REMOVED", "Run"]

_AT_ONCE: Final = 16_384  # bytes of JSON taken through together, while what was read is in the processor's caches

_Large = tuple[int, bytes, Body]  # the index of a text that is JSON, and the text


class Run(Nested):
    """The rules at work on one request, or one text. Owner of its findings; not used again."""

    def __init__(self, rules: CompiledRules) -> None:
        super().__init__(rules)
        self.encoded: dict[int, bytes] = {}  # by index of the texts last given: what became of raw ones that were JSON

    def texts(
        self,
        texts: Sequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int] = (),
        groups: Groups = (),
        placed: Mapping[int, Places] = MappingProxyType({}),
        raws: Mapping[int, bytes] = MappingProxyType({}),
    ) -> dict[int, str]:
        """Redact texts. Gives what changed, by index.

        Each stands under its key; a key that says nothing may be left out. `wheres` says where each stands (see
        CompiledRules.at), and may be left out when no rule asks. Of short ones that are `placed` it is known where
        their anchors are. In the place of those that are given as `raws`, in UTF-8, texts are empty; of those that are
        JSON `encoded` says what changed. Raises UnicodeDecodeError for what is no UTF-8.
        """
        changed: dict[int, str] = {}
        texts = list(texts)  # decoded ones are put in
        whole = self._large(texts, keys, wheres, raws, changed)
        searched = texts
        if whole or placed:
            searched = ["" if i in placed or i in whole else text for i, text in enumerate(texts)]
        try:
            hits = self._rules.anchors.scan(searched) if any(searched) else {}
        except Exception:  # noqa: BLE001 - whatever it is: nothing is known of any text, so each goes alone
            return changed | self._one_by_one(
                [index for index, text in enumerate(searched) if text or index in placed], texts, keys, wheres
            )
        hits.update(placed)
        changed |= self._all(texts, keys, wheres, hits, {}, 0)
        self._groups(groups, texts, keys, wheres, changed, 0)
        return changed

    def _large(
        self,
        texts: MutableSequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        raws: Mapping[int, bytes],
        changed: dict[int, str],
    ) -> set[int]:
        """Redact those of the texts that are JSON, or known, as a whole. Gives their indexes."""
        done: set[int] = set()
        together: list[_Large] = []
        size = 0
        for index, raw in self._may_be_json(texts, raws):
            key, where = keys.get(index, ""), wheres[index] if wheres else 0
            body = self._body(raw, key, where, 0)
            if body is None:
                text = texts[index] = texts[index] or raw.decode()
                if (known := self._seen(index, text, key, where)) is not None:
                    done.add(index)
                    if known != text:
                        changed[index] = known
                continue
            done.add(index)
            together.append((index, raw, body))
            size += len(raw)
            if size >= _AT_ONCE:
                self._of_bodies(together, texts, keys, wheres, changed)
                together, size = [], 0
        if together:
            self._of_bodies(together, texts, keys, wheres, changed)
        return done

    def _may_be_json(self, texts: Sequence[str], raws: Mapping[int, bytes]) -> Iterator[tuple[int, bytes]]:
        for index, text in enumerate(texts):
            if index in raws:
                yield index, raws[index]
            elif len(text) >= LARGE and text[0] in "[{":
                yield index, in_utf8(text)

    def _of_bodies(
        self,
        together: Sequence[_Large],
        texts: MutableSequence[str],
        keys: Mapping[int, str],
        wheres: Sequence[int],
        changed: dict[int, str],
    ) -> None:
        """Redact JSON texts after one search for their anchors."""
        try:
            hits = self._rules.anchors.scan([text for _, _, body in together for text in body.texts])
        except Exception:  # noqa: BLE001 - whatever it is: nothing is known of any text, so each goes alone
            for index, raw, _ in together:
                texts[index] = texts[index] or raw.decode()
            changed |= self._one_by_one([index for index, _, _ in together], texts, keys, wheres)
            return
        first = 0
        for index, raw, body in together:
            before, self.findings = self.findings, {}
            new = self._of_body(body, hits, first)
            found, self.findings = self.findings, before
            first += len(body.texts)
            if new != raw:
                self.found_in[index] = Counter(found)
                if texts[index]:
                    changed[index] = new.decode()
                else:
                    self.encoded[index] = new
            add(self.findings, found.items())

    def _seen(self, index: int, text: str, key: str, where: int) -> str | None:
        """What became of a text that is looked at as a whole, if that is known, and counted."""
        rules = self._rules
        if rules.every_text or rules.facts(fold.word(key), where).whole:
            return None
        known = rules.cache.get(rules.cache.digest(text, bodies.around("text", key, where, 0, rules)))
        if known is None:
            return None
        new, found = outcome(text, known)
        if found:
            self.found_in[index] = Counter(found)
            add(self.findings, found.items())
        return new

    def _of_body(self, body: Body, hits: Mapping[int, Places], first: int) -> bytes:
        findings = self.findings
        try:
            return body.redact(self, hits, first)
        except (OverBudget, normalise.TooDeep):
            why = BUDGET
        except Exception:  # noqa: BLE001 - fail closed, whatever it is
            why = ERROR
        self.findings = findings
        findings.clear()
        return self._remove(why).encode()

    def _one_by_one(
        self, indexes: Iterable[int], texts: Sequence[str], keys: Mapping[int, str], wheres: Sequence[int]
    ) -> dict[int, str]:
        changed: dict[int, str] = {}
        for index in indexes:
            text = texts[index]
            try:
                hits = self._rules.anchors.scan([text])
            except Exception as error:  # noqa: BLE001 - fail closed
                why = BUDGET if isinstance(error, OverBudget) else ERROR
                changed[index] = self._remove(why)
                self.found_in[index] = Counter({why: 1})
            else:
                where = wheres[index] if wheres else 0
                new, found = self._remembered(text, keys.get(index, ""), where, hits.get(0, ()), 0)
                add(self.findings, found.items())
                if new != text:
                    changed[index] = new
                    self.found_in[index] = Counter(found)
        return changed
