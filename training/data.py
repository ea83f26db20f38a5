"""What one epoch reads: corpora, written texts, texts without names."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from training import corpora, negatives
from training.corpora import Sentence
from training.model_text import Text
from training.writing import Names, Writer, templates, words

_REGISTERS = {
    "chat": 4200,
    "mail": 2600,
    "support": 4600,
    "tools": 3000,
    "prose": 3000,
    "encyclopaedia": 4500,
    "others": 1200,
    "nameless": 6000,
}
_CODE_WINDOWS = 2200
_MACHINE_TEXTS = 1500
_FOREIGN_TEXTS = 2200
FOLDS = 3
_KEPT_BACK = {"wikigold": 3, "wnut17": 6, "btc": 6}  # one of so many blocks of a corpus is kept back in a fold
_BLOCK = 40  # sentences
_STREWN = 0.3
_SPACED = {"encyclopaedia": 0.4, "prose": 0.3, "chat": 0.1}
_AGAIN = {"wikigold": 3, "gum": 2}  # times that an epoch reads a corpus, with other names each time
_EDITED = ("wikigold", "gum", "litbank", "encyclopaedia", "prose")
_SIGN = re.compile(r"(?<=\w)[,.;:!?)](?=\s|$)|(?<=\s)[(\"](?=\w)|(?<=[\w.])'s\b|(?<=\w)\"(?=\s|$)")
_WORD_STARTS = re.compile(r"^|[ \n]")


def held_out(name: str, sentences: Sequence[Sentence], fold: int, *, kept_back: bool) -> list[Sentence]:
    """The part of a corpus that is for training in one of the FOLDS, or the one that is kept back for measuring.

    Blocks of sentences, so that a document is mostly on one side; what a corpus names `dev` is kept back as a whole.
    Of Wikigold, which is small, each sentence is kept back in one of the folds. Nothing is kept back of what the
    model is not measured on.
    """
    if "dev" in name:
        return list(sentences) if kept_back else []
    every = _KEPT_BACK.get(name.partition("-")[0], 0)
    return [each for at, each in enumerate(sentences) if (every > 0 and at // _BLOCK % every == fold) is kept_back]


def load(folder: Path) -> dict[str, list[Sentence]]:
    """Read all corpora of a folder. Raises FileNotFoundError when there are none."""
    found = {path.stem: corpora.read(path) for path in sorted(folder.glob("*.conll"))}
    if not found:
        raise FileNotFoundError(f"there are no *.conll files in {folder}")
    return found


def ordinary_words(sentences: dict[str, list[Sentence]]) -> Counter[str]:
    """How often words stand in corpora and templates, in small letters, as no name."""
    counted: Counter[str] = Counter()
    for of_corpus in sentences.values():
        for sentence in of_corpus:
            counted.update(word for word, label, _ in sentence if label == 0 and word.islower() and word.isalpha())
    for register in _REGISTERS:
        for template in templates(register):
            counted.update(word for word in template.split() if word.islower() and word.isalpha())
    return counted


def ordinary_lists(counted: Counter[str], dictionary: Path) -> list[list[str]]:
    """Ordinary words: those of the corpora, and those of a dictionary, of middle length."""
    words = dictionary.read_text(encoding="utf-8").split()
    return [
        [word for word, count in counted.items() if count > 1 and len(word) > 2],
        [word for word in words if word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 10],
    ]


class Epochs:
    """Makes the texts of each epoch anew: the same seed gives the same ones."""

    def __init__(
        self,
        sentences: dict[str, list[Sentence]],
        names: Names,
        ordinary: Sequence[Sequence[str]],
        foreign: Sequence[Sequence[str]],
        seed: int,
    ) -> None:
        self._sentences = sentences
        self._ordinary = ordinary
        self._foreign = foreign
        self._plain = [
            corpora.joined(sentence, tight=True)
            for of_corpus in sentences.values()
            for sentence in of_corpus
            if len(sentence) > 3 and not any(label for _, label, _ in sentence)
        ]
        self._names = names
        self._seed = seed
        self._words = words()
        self._templates = {register: templates(register) for register in _REGISTERS}
        self._modules = negatives.modules(held_out=False)

    def __call__(self, epoch: int) -> list[Text]:
        """All texts of an epoch."""
        random = Random(f"{self._seed} {epoch}")
        writer = Writer(random, self._names, self._words, self._ordinary)
        texts: list[Text] = []
        for name, of_corpus in self._sentences.items():
            family = name.partition("-")[0]
            for _ in range(_AGAIN.get(family, 1)):
                made = [lowered(text, random, 0.15) for text in corpora.texts(of_corpus, random, writer)]
                texts += [replace(text, edited=family in _EDITED) for text in made]
        for register, count in _REGISTERS.items():
            made = [lowered(self._message(register, random, writer), random, 0.12) for _ in range(count)]
            texts += [replace(text, edited=register in _EDITED) for text in made]
        texts += negatives.windows(self._modules, random, _CODE_WINDOWS)
        texts += negatives.machine(random, _MACHINE_TEXTS, held_out=False)
        texts += [self._foreign_text(random, writer) for _ in range(_FOREIGN_TEXTS)]
        return texts

    def _message(self, register: str, random: Random, writer: Writer) -> Text:
        parts = []
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            roll = random.random()
            if roll < 0.1:
                parts.append(random.choice(self._plain))
                continue
            of = "nameless" if roll < 0.3 else register
            parts.append(writer.write(random.choice(self._templates[of])))
        text = corpora.concatenated(parts, random.choice((" ", "\n", "\n\n")))
        if random.random() < _SPACED.get(register, 0):
            text = spaced(text)
        ordinary = [random.choice(self._foreign)] if register == "others" else self._ordinary
        return strewn(text, random, ordinary) if random.random() < _STREWN else text

    def _foreign_text(self, random: Random, writer: Writer) -> Text:
        """Words of one other language in no order, with now and then a name among them: its words are no names."""
        language = random.choice(self._foreign)
        parts: list[Text] = []
        for _ in range(random.randint(1, 3)):
            words = [random.choice(language) for _ in range(random.randint(3, 12))]
            words[0] = words[0].capitalize()
            at = random.randrange(len(words))
            end = random.choice(".!?.,:")
            before, after = Text(" ".join(words[:at])), Text(" ".join(words[at:]) + end)
            named = (
                [writer.write(random.choice(("{P}", "{P}", "{G}", "{F}", "{L}", "{L}")))]
                if random.random() < 0.4
                else []
            )
            parts.append(corpora.concatenated([part for part in (before, *named, after) if part.text], " "))
        return lowered(corpora.concatenated(parts, random.choice((" ", "\n"))), random, 0.08)


def strewn(text: Text, random: Random, ordinary: Sequence[Sequence[str]]) -> Text:
    """Put some ordinary words between others, or at the start of lines: where a word stands makes no name of it."""
    for _ in range(random.choice((1, 1, 2, 3))):
        inside = [at for start, end, _ in text.spans for at in range(start + 1, end)]
        places = sorted({m.end() for m in _WORD_STARTS.finditer(text.text)} - set(inside))
        if not places:
            break
        at = random.choice(places)
        word = random.choice(random.choice(ordinary)) + " "
        if at == 0 or text.text[at - 1] == "\n" or random.random() < 0.15:
            word = word.capitalize()
        moved = [(s + len(word) * (s >= at), e + len(word) * (s >= at), label) for s, e, label in text.spans]
        text = Text(text.text[:at] + word + text.text[at:], tuple(moved))
    return text


def spaced(text: Text) -> Text:
    """Put blanks around signs, as corpora have them."""
    inside = [at for start, end, _ in text.spans for at in range(start + 1, end)]
    places = sorted({m.start() if m[0] not in '("' else m.end() for m in _SIGN.finditer(text.text)} - set(inside))
    made = text.text
    for at in reversed(places):
        made = made[:at] + " " + made[at:]
    moved = [
        (start + bisect_right(places, start), end + bisect_left(places, end), label) for start, end, label in text.spans
    ]
    return Text(made, tuple(moved))


def lowered(text: Text, random: Random, share: float) -> Text:
    """Bring some texts to small letters, and a few to capitals, where this keeps all lengths."""
    roll = random.random()
    new = text.text.lower() if roll < share else text.text.upper() if roll < share + 0.02 else text.text
    return Text(new, text.spans) if len(new) == len(text.text) else text
