"""What is measured on, and the table of what came out."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from training import corpora, data, negatives, score
from training.corpora import Sentence
from training.model_text import LOCATION, PERSON, Text
from training.score import Tag
from training.writing import Names, Writer, templates, words

_PRESIDIO = {"PERSON": PERSON, "GPE": LOCATION, "LOCATION": LOCATION, "ADDRESS": LOCATION, "STREET_ADDRESS": LOCATION}
_EACH = 12  # texts of one held-out template
_WINDOWS = 1500
_PRESIDIO_TEXTS = 1000
_SEED = 8
_SAMPLED = 150  # texts of a kind


def held_out(sentences: Mapping[str, Sequence[Sentence]], names: Names, presidio: Path | None) -> dict[str, list[Text]]:
    """The texts to measure with, by kind; those without names have no spans."""
    random = Random(_SEED)
    writer = Writer(random, names, words())
    made: dict[str, list[Text]] = {}
    for name, of_corpus in sentences.items():
        kind = "encyclopaedic (Wikigold)" if "wikigold" in name else "informal (WNUT17 dev)" if "dev" in name else ""
        kind = kind or ("informal (BTC)" if name.startswith("btc") else "informal (WNUT17 train)")
        back = data.held_out(name, of_corpus, kept_back=True)
        made.setdefault(kind, []).extend(corpora.joined(sentence, tight=False) for sentence in back)
    made["encyclopaedic, lower case"] = (
        _lower(made["encyclopaedic (Wikigold)"]) if "encyclopaedic (Wikigold)" in made else []
    )
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
    return {kind: texts for kind, texts in made.items() if texts}


def sample(texts: Mapping[str, Sequence[Text]]) -> dict[str, list[Text]]:
    """Some texts of each kind, the same each time: others are slow."""
    random = Random(_SEED)
    return {kind: random.sample(list(all_of), min(_SAMPLED, len(all_of))) for kind, all_of in texts.items()}


def table(systems: Sequence[tuple[str, Tag]], texts: Mapping[str, Sequence[Text]]) -> str:
    """Measure systems and write recall/precision down as Markdown; PERSON first, LOCATION second."""
    lines = ["| texts | PERSON, LOCATION | " + " | ".join(name for name, _ in systems) + " |"]
    lines.append("|---" * (len(systems) + 2) + "|")
    counted = dict.fromkeys((name for name, _ in systems), 0)
    seconds = dict.fromkeys((name for name, _ in systems), 0.0)
    for kind, of_kind in texts.items():
        size = sum(len(text.text.split()) for text in of_kind)
        cells = []
        scores: dict[int, score.Score] = {}
        for name, tag in systems:
            begun = time.process_time()
            found = tag([text.text for text in of_kind])
            seconds[name] += time.process_time() - begun
            counted[name] += size
            if kind.startswith("no names"):
                flagged = sum(
                    len(t.text[s:e].split()) for t, spans in zip(of_kind, found, strict=True) for s, e, _ in spans
                )
                cells.append(f"{flagged / size:.2%} of words")
                continue
            scores = score.score(of_kind, found)
            cells.append(" · ".join(f"{scores[k].recall:.2f}/{scores[k].precision:.2f}" for k in (PERSON, LOCATION)))
        many = f"{scores[PERSON].entities}, {scores[LOCATION].entities}" if scores else f"{size} words"
        lines.append(f"| {kind} | {many} | " + " | ".join(cells) + " |")
    speeds = [f"{counted[name] / max(seconds[name], 1e-9):,.0f}" for name, _ in systems]
    lines.append("| words a second, this run | | " + " | ".join(speeds) + " |")
    return "\n".join(lines)


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
