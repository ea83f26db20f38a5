"""Texts made from templates, with names of many origins in their slots.

A slot in capitals is a name: P a person, XP one in another script than Latin, G a given name, F a family name, I an
initial, L a town, C a country, R a river, ST a state, S a street with its number, U a flat, Z a postcode, A a whole
address, N another place, mostly named after somebody; X, T, W, V, B and Y something else that bears a name: a company,
a team, a work, a vessel, a body, a people or its language. In small letters it is written in small letters, with U
behind it in capitals. A digit behind it tells one person or place from another in the same text. All other slots are
words of words.yaml, or what the methods of `_Filler` make.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

from training.model_text import LOCATION, OTHER, PERSON, Text

_SLOT = re.compile(r"\{\{|\}\}|\{(\w+?)(\d?)\}")
_FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True, slots=True)
class Names:
    """Lists of names to draw from, by locale; weights where they are known."""

    given: dict[str, list[str]]
    family: dict[str, list[str]]
    towns: list[str]
    town_weights: list[float] = field(repr=False)
    countries: list[str]
    states: list[str]
    streets: dict[str, list[str]]
    addresses: dict[str, list[str]]
    brands: list[str] = field(default_factory=list)


def templates(name: str, folder: Path = _FOLDER) -> list[str]:
    """Read the templates of one file, a line each."""
    lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n").replace("\\t", "\t") for line in lines if line and not line.startswith("# ")]


def words(folder: Path = _FOLDER) -> dict[str, Any]:
    """Read the words of the slots that are no names."""
    tree: dict[str, Any] = yaml.safe_load((folder / "words.yaml").read_text(encoding="utf-8"))
    return tree


@dataclass(frozen=True, slots=True)
class _Person:
    given: str
    family: str
    locale: str


class Writer:
    """Fills templates. The same `random` gives the same texts."""

    def __init__(
        self, random: Random, names: Names, words: dict[str, Any], ordinary: Sequence[Sequence[str]] = ()
    ) -> None:
        """`ordinary`: lists of ordinary words, which stand in some of the slots for nouns, verbs and the like."""
        self.random = random
        self.ordinary = ordinary
        self.brands = names.brands
        self._names = names
        self._words = words
        self._locales = list(names.given)
        self._latin = [locale for locale in self._locales if not locale.startswith("x-")]
        self._town_sum: list[float] = []
        total = 0.0
        for weight in names.town_weights:
            total += weight
            self._town_sum.append(total)

    # --- names

    def person(self, *, other_script: bool = False) -> _Person:
        """Draw a person: mostly from one locale, sometimes of mixed origin, sometimes with a name that is a word."""
        random = self.random
        roll = random.random()
        if roll < 0.03 or other_script:
            locale = random.choice([each for each in self._locales if each.startswith("x-")] or self._latin)
            return _Person(random.choice(self._names.given[locale]), random.choice(self._names.family[locale]), locale)
        locale = "us-census" if roll < 0.42 else random.choice(self._latin)
        given = random.choice(self._names.given[locale])
        family = random.choice(self._names.family[locale if random.random() < 0.8 else random.choice(self._latin)])
        if random.random() < 0.12:
            given = random.choice(self._words["nickname"])
        if random.random() < 0.12:
            family = random.choice(self._words["surname_word"])
        if random.random() < 0.06:
            given = _invented(given, random.choice(self._names.given[random.choice(self._latin)]))
        if random.random() < 0.08:
            family = _invented(family, random.choice(self._names.family[random.choice(self._latin)]))
        return _Person(given, family, locale)

    def full(self, person: _Person) -> str:
        """Write a person's name out, in one of the ways in which this is done."""
        return self._form("other_script_form" if person.locale.startswith("x-") else "person_form", person)

    def _form(self, form: str, person: _Person | None = None) -> str:
        """One of the ways in words.yaml to write something down, filled."""
        return self.word(form).format_map(_Forms(self, person or self.person()))

    def word(self, name: str) -> str:
        """Draw from a list of words.yaml; where words have numbers, as often as these say."""
        words = self._words[name]
        if isinstance(words, dict):
            return self.random.choices(list(words), list(words.values()))[0]
        return self.random.choice(words)

    def name_of_size(self, size: int) -> str:
        """A name of about so many words."""
        person = self.person()
        if size == 1:
            return person.given if self.random.random() < 0.5 else person.family
        if size == 2:
            return f"{person.given} {person.family}"
        return f"{person.given} {self.person().given} {person.family}"

    def other(self, slot: str) -> str:
        """Something else that bears a name, often that of a person or of a place, such as a company, a team, a work."""
        if slot == "X" and self._names.brands and self.random.random() < _BRANDED:
            return self.random.choice(self._names.brands)
        return self._form(_OTHER_FORMS[slot])

    def landmark(self) -> str:
        """A place that is no town, mostly named after a person."""
        return self._form("landmark_form")

    def made(self) -> str:
        """A name that nobody had before, as brands are."""
        random = self.random
        begin = (
            random.choice(random.choice(self.ordinary)) if self.ordinary and random.random() < 0.5 else self.family()
        )
        return _invented(begin.capitalize(), random.choice((self.town, self.family, self.given))())

    def town(self) -> str:
        """A town, the larger the more often."""
        if self.random.random() < _SMALL_TOWN:
            return self.random.choice(self._names.towns)
        return self.random.choices(self._names.towns, cum_weights=self._town_sum)[0]

    def place(self) -> str:
        """A place of any kind."""
        roll = self.random.random()
        if roll < 0.6:
            return self.town()
        if roll < 0.8:
            return self.random.choice(self._names.countries)
        if roll < 0.88:
            return self.random.choice(self._names.states)
        return self.random.choice(self._words["place"])

    def street(self) -> str:
        """A street with the number of a house."""
        return self._form("street_form")

    def address(self) -> str:
        """A whole address."""
        return self._form("address_form")

    def country(self) -> str:
        """A country."""
        return self.random.choice(self._names.countries)

    def state(self) -> str:
        """A state, or the two letters for one."""
        return self.random.choice((*self._names.states, *self._words["state_code"]))

    def local_street(self) -> str:
        """A street as it is written in some country."""
        return self.random.choice(self._names.streets[self.random.choice(list(self._names.streets))])

    def addresses(self) -> list[str]:
        """Whole addresses of some country."""
        return self._names.addresses[self.random.choice(list(self._names.addresses))]

    def given(self) -> str:
        """A given name."""
        return self.random.choice(self._names.given[self.random.choice(self._latin)])

    def family(self) -> str:
        """A family name."""
        return self.random.choice(self._names.family[self.random.choice((*self._latin, "us-census", "us-census"))])

    def postcode(self) -> str:
        """A postcode of some country."""
        random = self.random
        if random.random() < 0.5:
            return f"{random.randint(10000, 99999)}"
        area, inward = random.choices("ABCDEGHKLMNPRSTW", k=2), random.choices("ABDEFGHJLN", k=2)
        return f"{''.join(area)}{random.randint(1, 30)} {random.randint(1, 9)}{''.join(inward)}"

    # --- texts

    def write(self, template: str) -> Text:
        """Fill one template."""
        filler = _Filler(self, self._words)
        text: list[str] = []
        spans: list[tuple[int, int, int]] = []
        at = size = 0
        for slot in _SLOT.finditer(template):
            text.append(template[at : slot.start()])
            size += slot.start() - at
            at = slot.end()
            if slot[1] is None:
                value, label = slot[0][0], 0
            else:
                value, label = filler.fill(slot[1], slot[2])
            if label:
                spans.append((size, size + len(value), label))
            text.append(value)
            size += len(value)
        text.append(template[at:])
        return Text("".join(text), tuple(spans))


class _Forms(dict[str, str]):
    """The slots of the ways to write names and addresses; what is asked for is made then."""

    def __init__(self, writer: Writer, person: _Person) -> None:
        super().__init__(g=person.given, f=person.family, g0=person.given[0])
        self._writer = writer

    def __missing__(self, slot: str) -> str:
        writer, random = self._writer, self._writer.random
        makers: dict[str, Callable[[], str]] = {
            "i": lambda: random.choice("ABCDEFGHJKLMNPRSTVW"),
            "g2": writer.given,
            "f2": writer.family,
            "f3": writer.family,
            "part": lambda: writer.word("particle"),
            "gen": lambda: writer.word("generation"),
            "town": writer.town,
            "country": writer.country,
            "post": writer.postcode,
            "zip": lambda: str(random.randint(10000, 99999)),
            "n": lambda: f"{random.randint(1, random.choice((30, 300, 9999)))}{random.choice(('', '', '', 'a', 'B'))}",
            "s": writer.street,
            "s2": writer.street,
            "whole": lambda: random.choice(writer.addresses()),
            "local": writer.local_street,
            "other": lambda: writer.word("other_street").format(name=writer.family(), number=random.randint(1, 300)),
            "flat": lambda: writer.word("flat").format(random.randint(1, 400)),
            "made": writer.made,
            "unit": lambda: writer.word("unit").format(random.randint(1, 999)),
        }
        return makers[slot]() if slot in makers else writer.word(slot)


class _Filler:
    """What stands in the slots of one text: the same slot, the same value."""

    def __init__(self, writer: Writer, words: dict[str, Any]) -> None:
        self._writer = writer
        self._random = writer.random
        self._words = words
        self._people: dict[str, _Person] = {}
        self._places: dict[str, str] = {}

    def fill(self, slot: str, which: str) -> tuple[str, int]:
        """The value of a slot and its label, 0 for none."""
        kind = slot.removesuffix("U") if len(slot) > 1 else slot
        upper = kind != slot
        name = kind.upper()
        if name in _PERSONAL and (kind == name or kind in "pgf"):
            value = self._personal(name, which)
            label = PERSON
        elif name in _LOCAL and (kind == name or kind in "la"):
            value = self._local(name, which)
            label = LOCATION
        else:
            return self._word(slot, which), OTHER if slot in _OTHER else 0
        value = value.lower() if kind != name else value.upper() if upper else value
        return value, label

    def _personal(self, name: str, which: str) -> str:
        person = self._people.get(which)
        if person is None:
            person = self._people[which] = self._writer.person(other_script=name == "XP")
        match name:
            case "P" | "XP":
                return self._writer.full(person)
            case "G":
                return person.given
            case "F":
                return person.family
            case _:
                return person.given[0]

    def _local(self, name: str, which: str) -> str:
        key = name + which
        if key not in self._places:
            writer = self._writer
            makers: dict[str, Callable[[], str]] = {
                "L": lambda: writer.town() if self._random.random() < 0.85 else writer.place(),
                "C": writer.country,
                "ST": writer.state,
                "R": lambda: self._random.choice(self._words["river"]),
                "S": writer.street,
                "N": writer.landmark,
                "U": lambda: writer.word("unit").format(self._random.randint(1, 999)),
                "Z": writer.postcode,
                "A": writer.address,
            }
            self._places[key] = makers[name]()
        return self._places[key]

    def _word(self, slot: str, which: str) -> str:
        random = self._random
        if slot in _OTHER_FORMS:
            if slot + which not in self._places:
                self._places[slot + which] = self._writer.other(slot)
            return self._places[slot + which]
        if slot == "foreign":
            return " ".join(self._writer.made().lower() for _ in range(1 if which else random.randint(2, 6)))
        made = _MADE.get(slot)
        if made is not None:
            return made(random)
        if slot == "post":
            return self._writer.postcode()
        if slot in self._words:
            return self._of(slot)
        return " ".join(word[:1].upper() + word[1:] for word in self._of(slot.lower()).split())

    def _of(self, slot: str) -> str:
        random, ordinary = self._random, self._writer.ordinary
        if slot == "org" and self._writer.brands and random.random() < _ORDINARY_BRAND:
            return random.choice(self._writer.brands)
        if ordinary and slot in _OPEN and random.random() < _ORDINARY:
            return random.choice(random.choice(ordinary))
        return random.choice(self._words[slot])


_PERSONAL = frozenset({"P", "G", "F", "I", "XP"})
_OTHER_FORMS = {
    "X": "named_after_form",
    "T": "team_form",
    "W": "work_form",
    "V": "vessel_form",
    "B": "body_form",
    "Y": "people_form",
}
_OTHER = frozenset({"org", "product", "model", "vendor", "species", "genus", "deity", "award", *_OTHER_FORMS})
_OPEN = frozenset({"noun", "adj", "verb", "job", "hobby", "symptom", "column", "ident"})
_ORDINARY = 0.4
_SMALL_TOWN = 0.25  # of towns: how many are drawn without regard to their size
_BRANDED, _ORDINARY_BRAND = 0.3, 0.5  # of companies: how many are of a list of brands
_LOCAL = frozenset({"L", "C", "R", "ST", "S", "A", "N", "U", "Z"})


_MONTHS = words()["month_name"]


def _date(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(1940, 2027)
    name = random.choice(_MONTHS)
    return random.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{day:02}/{month:02}/{year}",
            f"{month}/{day}/{year % 100:02}",
            f"{day} {name} {year}",
            f"{name} {day}, {year}",
            f"{name} {day}",
            f"{day}.{month}.{year}",
        )
    )


def _phone(random: Random) -> str:
    n = random.randint
    return random.choice(
        (
            f"+1 ({n(200, 989)}) 555-{n(1000, 9999)}",
            f"0{n(20, 99)} {n(100, 999)} {n(1000, 9999)}",
            f"+49 {n(100, 999)} {n(10**6, 10**7)}",
        )
    )


_MADE: dict[str, Callable[[Random], str]] = {
    "date": _date,
    "time": lambda r: f"{r.randint(0, 23):02}:{r.randint(0, 59):02}{r.choice(('', ':17', ' am', ' pm', 'h'))}",
    "num": lambda r: str(r.randint(100, 10 ** r.randint(3, 8))),
    "small": lambda r: str(r.randint(1, 60)),
    "year": lambda r: str(r.randint(1850, 2026)),
    "id": lambda r: f"{r.choice(('INC', 'TCK', 'SUP', 'ORD', 'CASE', 'PROJ'))}-{r.randint(100, 99999)}",
    "email": lambda r: r.choice(
        ("[EMAIL_ADDRESS]", "info@example.com", "[email:c07f3a21be5d9f46]", f"user{r.randint(1, 99)}@example.org")
    ),
    "phone": lambda r: r.choice(("[PHONE_NUMBER]", _phone(r), _phone(r))),
    "spelled": lambda r: "-".join(r.choices("ABCDEFGHIKLMNOPRSTUW", k=r.randint(4, 8))),
}


def _invented(name: str, other: str) -> str:
    """A name that is in no list: the beginning of one, the end of another."""
    return (name[: max(2, len(name) // 2)] + other[len(other) // 2 :].lower()).strip(" -'") or name
