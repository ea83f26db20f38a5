"""Corpora that label phrases, brought to columns of names."""

from pathlib import Path

from training import convert


def _written(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _tree(rows: str) -> str:
    """Rows of word, tag and phrases in the ten columns of a dependency tree."""
    lines = []
    for number, row in enumerate(rows.strip().split("\n"), 1):
        word, tag, *phrases = row.split()
        marks = f"Entity={phrases[0]}" if phrases else "_"
        lines.append("\t".join([str(number), word, word, "X", tag, "_", "0", "x", "_", marks]))
    return "\n".join(lines) + "\n\n"


def test_gum_names_are_the_proper_nouns_of_phrases(tmp_path: Path) -> None:
    """Of «President Jane Roe of the University of Umber» the person is Jane Roe, and the body is named as a whole."""
    rows = """
        President NNP (1-person-new
        Jane NNP
        Roe NNP
        of IN
        the DT (2-organization-new
        University NNP
        of IN
        Umber NNP (3-place-new)2)1)
        met VBD
        voters NNS (4-person-new)
    """
    _written(tmp_path, "dep/GUM_news_x.conllu", _tree(rows))
    assert [list(zip(words, labels, strict=True)) for words, labels in convert.gum(tmp_path)] == [
        [
            ("President", "O"), ("Jane", "B-PER"), ("Roe", "I-PER"), ("of", "O"), ("the", "O"),
            ("University", "B-ORG"), ("of", "I-ORG"), ("Umber", "I-ORG"), ("met", "O"), ("voters", "O"),
        ]
    ]  # fmt: skip


def test_gum_genres_under_other_licences_stay_out(tmp_path: Path) -> None:
    """A text of a genre that may not be passed on freely is not read."""
    _written(tmp_path, "dep/GUM_fiction_x.conllu", _tree("Jane NNP (1-person-new)"))
    assert list(convert.gum(tmp_path)) == []


def test_litbank_names_have_no_titles(tmp_path: Path) -> None:
    """What is marked as a proper name counts from its first capital letter on, without what addresses its bearer."""
    _written(tmp_path, "coref/brat/x.txt", "Old Mrs. Roe saw the maid in Umber House .\n")
    marks = "T1\tPROP_PER 0 12\tOld Mrs. Roe\nT2\tNOM_PER 17 25\tthe maid\nT3\tPROP_FAC 29 40\tUmber House\n"
    _written(tmp_path, "coref/brat/x.ann", marks)
    words, labels = next(iter(convert.litbank(tmp_path)))
    assert [(word, label) for word, label in zip(words, labels, strict=True) if label != "O"] == [
        ("Roe", "B-PER"),
        ("Umber", "B-LOC"),
        ("House", "I-LOC"),
    ]
