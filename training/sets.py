"""What is measured on, and the table of what came out."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from training import corpora, data, negatives, score
from training.corpora import Sentence
from training.model_text import LOCATION, PERSON, Text
from training.score import Scores, Tag
from training.writing import Names, Writer, templates, words

_PRESIDIO = {"PERSON": PERSON, "GPE": LOCATION, "LOCATION": LOCATION, "ADDRESS": LOCATION, "STREET_ADDRESS": LOCATION}
_EACH = 12  # texts of one held-out template
_WINDOWS = 1500
_PRESIDIO_TEXTS = 1000
_SEED = 8
_SAMPLED = 150  # texts of a kind
_ARTICLES = "encyclopaedic (Wikigold)"

Texts = dict[str, list[Text]]
"""By kind; those without names have no spans."""


def held_out(sentences: Mapping[str, Sequence[Sentence]], fold: int) -> Texts:
    """What the run of a fold did not see of the corpora."""
    made: Texts = {}
    for name, of_corpus in sentences.items():
        kind = _ARTICLES if "wikigold" in name else "informal (WNUT17 dev)" if "dev" in name else ""
        kind = kind or ("informal (BTC)" if name.startswith("btc") else "informal (WNUT17 train)")
        back = data.held_out(name, of_corpus, fold, kept_back=True) if fold == 0 or "dev" not in name else []
        if back:
            made.setdefault(kind, []).extend(corpora.joined(sentence, tight=False) for sentence in back)
    if _ARTICLES in made:
        made["encyclopaedic, lower case"] = _lower(made[_ARTICLES])
    return made


def others(names: Names, presidio: Path | None) -> Texts:
    """What no run sees: written texts, texts without names, and presidio-research's."""
    random = Random(_SEED)
    writer = Writer(random, names, words())
    made: Texts = {}
    for register, kind in (("support", "support and forms, written"), ("chat", "chat, written")):
        made[kind] = [writer.write(each) for each in templates(f"heldout-{register}") for _ in range(_EACH)]
    made["chat, written, lower case"] = _lower(made["chat, written"])
    for language in ("german", "french", "spanish", "scripts"):
        made[f"{language}, written"] = [
            writer.write(each) for each in templates(f"heldout-{language}") for _ in range(_EACH)
        ]
    if presidio is not None:
        made["forms (presidio-research)"] = _presidio(presidio)
    made["no names: messages"] = [Text(writer.write(each).text) for each in templates("heldout-nameless")]
    made["no names: code"] = list(negatives.windows(negatives.modules(held_out=True), random, _WINDOWS))
    made["no names: logs, JSON, tracebacks"] = list(negatives.machine(random, _WINDOWS, held_out=True))
    return made


def sample(texts: Mapping[str, Sequence[Text]]) -> Texts:
    """Some texts of each kind, the same each time: others are slow."""
    random = Random(_SEED)
    return {kind: random.sample(list(all_of), min(_SAMPLED, len(all_of))) for kind, all_of in texts.items()}


@dataclass(frozen=True, slots=True)
class Result:
    """What a system did on texts of one kind: their words, those it marked, and its scores by blocks of texts."""

    words: int
    marked: int
    seconds: float
    blocks: list[Scores]

    def __add__(self, other: "Result") -> "Result":
        """Both together."""
        return Result(
            self.words + other.words,
            self.marked + other.marked,
            self.seconds + other.seconds,
            self.blocks + other.blocks,
        )


def measure(tag: Tag, texts: Mapping[str, Sequence[Text]]) -> dict[str, Result]:
    """Measure a system on texts of some kinds."""
    results = {}
    for kind, of_kind in texts.items():
        begun = time.process_time()
        found = tag([text.text for text in of_kind])
        seconds = time.process_time() - begun
        marked = sum(
            len(text.text[s:e].split()) for text, spans in zip(of_kind, found, strict=True) for s, e, _ in spans
        )
        size = sum(len(text.text.split()) for text in of_kind)
        results[kind] = Result(size, marked, seconds, score.blocks(of_kind, found))
    return results


def together(results: Sequence[Mapping[str, Result]]) -> dict[str, Result]:
    """Results of several folds, each kind together."""
    merged: dict[str, Result] = {}
    for each in results:
        for kind, result in each.items():
            merged[kind] = merged[kind] + result if kind in merged else result
    return merged


def table(systems: Sequence[tuple[str, Mapping[str, Result]]], *, bounds: bool = False) -> str:
    """Write recall/precision down as Markdown; PERSON first, LOCATION second. With `bounds`: PERSON's 95 % interval."""
    heads = ["texts", "PERSON, LOCATION", *(name for name, _ in systems), *(["PERSON, 95 %"] if bounds else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for kind, first in systems[0][1].items():
        nameless = kind.startswith("no names")
        cells = [kind, f"{first.words} words" if nameless else _counts(first)]
        for _, results in systems:
            each = results[kind]
            cells.append(f"{each.marked / each.words:.2%} of words" if nameless else _figures(each))
        if bounds:
            cells.append("" if nameless else _bounds(first))
        lines.append("| " + " | ".join(cells) + " |")
    speeds = [
        f"{sum(r.words for r in of.values()) / max(sum(r.seconds for r in of.values()), 1e-9):,.0f}"
        for _, of in systems
    ]
    lines.append("| " + " | ".join(["words a second, this run", "", *speeds, *([""] if bounds else [])]) + " |")
    return "\n".join(lines)


def _counts(result: Result) -> str:
    return ", ".join(str(score.total(result.blocks, label).entities) for label in (PERSON, LOCATION))


def _figures(result: Result) -> str:
    totals = [score.total(result.blocks, label) for label in (PERSON, LOCATION)]
    return " · ".join(f"{each.recall:.2f}/{each.precision:.2f}" for each in totals)


def _bounds(result: Result) -> str:
    return "/".join(f"{low:.2f}–{high:.2f}" for low, high in score.interval(result.blocks, PERSON))


def _lower(texts: Sequence[Text]) -> list[Text]:
    return [Text(text.text.lower(), text.spans) for text in texts if len(text.text.lower()) == len(text.text)]


def _presidio(path: Path) -> list[Text]:
    made = []
    for entry in json.loads(path.read_text(encoding="utf-8"))[:_PRESIDIO_TEXTS]:
        spans = [
            (span["start_position"], span["end_position"], _PRESIDIO[span["entity_type"]])
            for span in entry["spans"]
            if span["entity_type"] in _PRESIDIO
        ]
        made.append(Text(entry["full_text"], tuple(sorted(spans))))
    return made
