"""`python -m training.convert gum|litbank CHECKOUT`: public corpora that are labelled otherwise, as CoNLL columns.

Both label phrases («the old doctor»); what is kept of those are the names in them.

- GUM (github: amir-zeldes/gum), of the genres whose texts are under CC BY: proper nouns, of the kind that the phrase
  around them is of; a body's name as a whole («University of Southern Indiana»)
- LitBank (github: dbamman/litbank, CC BY 4.0): what it marks as a proper name, without titles and articles
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import writing

_GENRES = ("news", "interview", "academic", "court")
_KINDS = {
    "person": "PER", "place": "LOC", "organization": "ORG", "time": "O",
    "PER": "PER", "FAC": "LOC", "GPE": "LOC", "LOC": "LOC", "ORG": "ORG", "VEH": "MISC",
}  # fmt: skip
_JOINING = frozenset({"of", "the", "and", "&", "for", "'s"})
_PARTICLES = frozenset({"de", "la", "van", "von", "du", "del", "der", "of", "le", "d", "el", "da", "di", "'", "-"})
_TITLES = frozenset(writing.words()["before_name"])

Labels = list[str]
Sentences = Iterator[tuple[Sequence[str], Labels]]


def gum(checkout: Path) -> Sentences:
    """Read GUM's dependency trees, of which the last column says where phrases begin and end."""
    for path in sorted((checkout / "dep").glob("GUM_*.conllu")):
        if path.stem.split("_")[1] in _GENRES:
            yield from _gum_document(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class _Phrase:
    first: int
    last: int
    kind: str

    def __len__(self) -> int:
        return self.last - self.first + 1


def _gum_document(text: str) -> Sentences:
    words: list[str] = []
    proper: list[bool] = []
    opened: list[tuple[str, str, int]] = []
    phrases: list[_Phrase] = []
    ends: list[int] = []
    for line in text.split("\n"):
        columns = line.split("\t")
        if not line and words and (not ends or ends[-1] != len(words)):
            ends.append(len(words))
        if not columns[0].isdigit():
            continue
        at = len(words)
        words.append(columns[1])
        proper.append(columns[4] in ("NNP", "NNPS") or columns[3] == "PROPN")
        marks = re.search(r"(?:^|\|)Entity=([^|]*)", columns[9])
        for mark in re.findall(r"\([^()]*|[^()]*\)", marks[1]) if marks else ():
            if mark[0] == "(":
                number, kind = mark[1:].split("-")[:2]
                opened.append((number, kind, at))
                continue
            number = mark[:-1].split("-")[0]
            closed = next((o for o in reversed(opened) if number in ("", o[0])), None)
            if closed is not None:
                opened.remove(closed)
                phrases.append(_Phrase(closed[2], at, closed[1]))
    labels = _named(words, proper, phrases)
    begin = 0
    for end in ends:
        yield words[begin:end], labels[begin:end]
        begin = end


def _named(words: Sequence[str], proper: Sequence[bool], phrases: Sequence[_Phrase]) -> Labels:
    """Label runs of proper nouns by the phrases that they stand in."""
    labels = ["O"] * len(words)
    at = 0
    while at < len(words):
        if not proper[at]:
            at += 1
            continue
        around = sorted((each for each in phrases if each.first <= at <= each.last), key=len)
        phrase = around[0] if around else _Phrase(at, at, "")
        for each in around[1:]:
            if (each.kind == phrase.kind or each.kind not in ("person", "place", "time")) and all(
                proper[i] or words[i].lower() in _JOINING or words[i] in "-,." for i in range(each.first, each.last + 1)
            ):
                phrase = each
        kind = _KINDS.get(phrase.kind, "MISC")
        end = at
        while end < phrase.last:
            after = end + 1
            joins = (*_JOINING, "-", "/") if kind in ("ORG", "MISC") else ("-", "/")
            while after < phrase.last and not proper[after] and words[after].lower() in joins:
                after += 1
            if not proper[after]:
                break
            end = after
        begin = at
        while kind == "PER" and begin <= end and words[begin].lower() in _TITLES:
            begin += 1
        if kind != "O" and any(word[0].isupper() for word in words[begin : end + 1]):
            labels[begin : end + 1] = _labels(kind, end + 1 - begin)
        at = end + 1
    return labels


def litbank(checkout: Path) -> Sentences:
    """Read LitBank's annotation of who is who, where proper names are marked as such."""
    for path in sorted((checkout / "coref/brat").glob("*.ann")):
        text = path.with_suffix(".txt").read_text(encoding="utf-8")
        marked = re.findall(r"(?m)^T\d+\tPROP_(\w+) (\d+) (\d+)\t", path.read_text(encoding="utf-8"))
        label_of: dict[int, str] = {}
        # The longest first: what stands inside of it is labelled again, but a person in a place's name stays of it.
        for kind, start, end in sorted(marked, key=lambda mark: int(mark[1]) - int(mark[2])):
            label = _KINDS[kind]
            places = [int(start) + word.start() for word in re.finditer(r"\S+", text[int(start) : int(end)])]
            name = _name([(at, text[at : int(end)].split()[0]) for at in places], person=label == "PER")
            if label == "PER" and any(label_of.get(at, "B-PER")[2:] != "PER" for at in name):
                continue
            label_of.update(zip(name, _labels(label, len(name)), strict=True))
        begin = 0
        for line in text.split("\n"):
            found = list(re.finditer(r"\S+", line))
            yield [word[0] for word in found], [label_of.get(begin + word.start(), "O") for word in found]
            begin += len(line) + 1


def _name(words: list[tuple[int, str]], *, person: bool) -> list[int]:
    """Where the words of the name in a phrase stand."""
    left_out = _TITLES if person else frozenset({"the"})
    while words and (words[0][1].lower() in left_out or not words[0][1][0].isupper()):
        words = words[1:]
    if person:  # «Jane of the house»: up to the first word in small letters that is no particle
        small = (i for i, (_, word) in enumerate(words) if not word[0].isupper() and word.lower() not in _PARTICLES)
        words = words[: next(small, len(words))]
    while words and (not words[-1][1][0].isupper() or (person and words[-1][1].lower() in _TITLES)):
        words = words[:-1]
    return [at for at, _ in words]


def _labels(kind: str, size: int) -> Labels:
    return [f"{'I' if i else 'B'}-{kind}" for i in range(size)]


_CORPORA: dict[str, Callable[[Path], Sentences]] = {"gum": gum, "litbank": litbank}


def main() -> int:
    """Write the columns of a corpus to standard output."""
    if len(sys.argv) != 3 or sys.argv[1] not in _CORPORA:
        sys.stderr.write(f"usage: python -m training.convert {'|'.join(_CORPORA)} CHECKOUT\n")
        return 2
    for words, labels in _CORPORA[sys.argv[1]](Path(sys.argv[2])):
        if words:
            print("\n".join(f"{word} {label}" for word, label in zip(words, labels, strict=True)), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
