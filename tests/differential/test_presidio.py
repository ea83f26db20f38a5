"""Presidio beside us, on the same texts.

Its recognisers plugged in find what they find by themselves, and our own rules find what it finds of the same kinds.
The differences are listed here, each with its reason. Presidio runs without an NLP engine, as in a gateway. Of what it
finds, that counts which has at least the score that a checksum, a strong pattern or a numbering plan gives it: what is
below is its noise.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import presidio_analyzer.predefined_recognizers as predefined
import pytest
from bench import values as generators
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from faker import Faker

from accuracy.benign_texts import written
from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.policy import presidio
from spansieve.redact.policy.model import Encryption
from spansieve.redact.policy.sealing import SEALED, Opener
from spansieve.redact.rules import keys
from spansieve.redact.rules.compiled import CompiledRules

_LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "en_IN")
_EACH = 60
_LEAST = 15  # findings of both: of some numbers Presidio is certain only in one of their forms
_SENTENCES = (
    "{}",
    "My number is {}, thank you.",
    "Contact: {} (urgent)",
    'log line key="{}" done',
    "{{'value': '{}'}}",
    "first\n{}\nlast",
    "I want to change the address on account {} to another one.",
    "Please send it to {}; or to {}.",
    "Could you check if {} is right? The last time I had {} there.",
    "{}: {}",
    "Dear Sir, I cannot use {} any more.\nRegards",
    "<p>Reply to {} before Friday</p>",
)
"""As public data sets of personal data have them: one value or two in a sentence, in a form, in a log line."""

_KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
_OPENER = Opener(_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
_PUBLIC = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

Make = Callable[[Random], str]
Span = tuple[int, int]


_FAKERS = {locale: Faker(locale) for locale in _LOCALES}


def _faked(method: str, *locales: str) -> Make:
    def make(random: Random) -> str:
        fake = _FAKERS[random.choice(locales or _LOCALES)]
        fake.seed_instance(random.randrange(1 << 30))
        return str(getattr(fake, method)())

    return make


@dataclass(frozen=True)
class _Kind:
    """One kind of value that both know. `certain`: the score from which Presidio's findings count.

    `missed`: what it finds and we leave, as a pattern of the finding, or of the text around it, and why. `more`: what
    we find and it does not.
    """

    recogniser: str
    entity: str
    makes: tuple[Make, ...]
    certain: float = 1.0
    beside: str = ""  # what has to stand before the value for our rule
    missed: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, str], ...] = ()


_KINDS = {
    "email": _Kind(
        "EmailRecognizer",
        "EMAIL",
        (
            generators.email,
            _faked("email"),
            _faked("ascii_company_email"),
            lambda r: f"bob{r.randrange(99)}@corp.internal",
        ),
        more=((r".*@.*\.(?:internal|local|example)", "a domain need not be on the list of public suffixes"),),
    ),
    "card": _Kind(
        "CreditCardRecognizer",
        "CARD",
        (generators.card, _faked("credit_card_number")),
        missed=((r"35(?:[01]|2[0-7]|9).*|1800.*", "no issuer has numbers that begin so (ISO/IEC 7812)"),),
        more=(
            (r"2[2-7][0-9 -]*", "Mastercard has them since 2017"),
            (
                r"(?:\d[ -]?){11,12}\d|(?:\d[ -]?){16,18}\d",
                "Maestro and others have 12 or 13 digits, Visa and others up to 19",
            ),
            (r"(?:\d{4}[ -]){3}\d{5,7}|(?:\d{4}[ -]\d{4,6}[ -]\d{4,6})", "groups as other issuers print them"),
        ),
    ),
    "iban": _Kind("IbanRecognizer", "IBAN", (generators.iban, _faked("iban"))),
    "us_ssn": _Kind("UsSsnRecognizer", "US_SSN", (generators.us_ssn, _faked("ssn", "en_US")), certain=0.5),
    "us_itin": _Kind("UsItinRecognizer", "US_ITIN", (generators.us_itin,), certain=0.5),
    "ip": _Kind(
        "IpRecognizer",
        "IP",
        (generators.ipv4, generators.ipv6, _faked("ipv4"), _faked("ipv6")),
        certain=0.6,
        missed=(
            (r"[0-9a-f]?::", "a piece of a name in C++ or AWS, or the unspecified address"),
            (r"127\.0\.0\.1|0\.0\.0\.0", "loopback and no address are nobody's"),
            (r".*version 1\.2\.3\.4.*", "a version has four parts, too"),
        ),
    ),
    "mac": _Kind("MacAddressRecognizer", "MAC", (generators.mac, _faked("mac_address")), certain=0.6),
    "phone": _Kind(
        "PhoneRecognizer",
        "PHONE",
        (generators.phone,),
        certain=0.4,
        missed=(
            (r"0\.\d+|0234567891", "a fraction"),
            (r"\(051478957", "the commit of a compiler"),
            (r"4-[15]-2025\d{4}", "a model's version"),
            (r"2024-001234", "an invoice"),
        ),
    ),
    "crypto": _Kind("CryptoRecognizer", "CRYPTO", (generators.bitcoin,), beside="BTC wallet "),
    "nhs": _Kind(
        "NhsRecognizer",
        "NATIONAL_ID",
        (generators.NATIONAL["gb_nhs"],),
        missed=((r"9876543210|0123456789", "decimals of a fraction"),),
    ),
    "nino": _Kind("UkNinoRecognizer", "NATIONAL_ID", (generators.NATIONAL["gb_nino"],), certain=0.5),
    "npi": _Kind("UsNpiRecognizer", "NATIONAL_ID", (generators.NATIONAL["us_npi"],)),
    "tfn": _Kind(
        "AuTfnRecognizer",
        "NATIONAL_ID",
        (generators.NATIONAL["au_tfn"],),
        missed=((r".*gigabyte.*|051478957", "nine digits are one in eleven times a number, without its name"),),
    ),
    "aadhaar": _Kind("InAadhaarRecognizer", "NATIONAL_ID", (generators.NATIONAL["in_aadhaar"],)),
    "nric": _Kind("SgFinRecognizer", "NATIONAL_ID", (generators.NATIONAL["sg_nric"],), certain=0.5),
    "nif": _Kind("EsNifRecognizer", "NATIONAL_ID", (generators.NATIONAL["es_nif"],)),
    "nie": _Kind("EsNieRecognizer", "NATIONAL_ID", (generators.NATIONAL["es_nie"],)),
    "codice_fiscale": _Kind("ItFiscalCodeRecognizer", "NATIONAL_ID", (generators.NATIONAL["it_codice_fiscale"],)),
    "pesel": _Kind("PlPeselRecognizer", "NATIONAL_ID", (generators.NATIONAL["pl_pesel"],)),
    "hetu": _Kind("FiPersonalIdentityCodeRecognizer", "NATIONAL_ID", (generators.NATIONAL["fi_hetu"],)),
    "rrn": _Kind("KrRrnRecognizer", "NATIONAL_ID", (generators.NATIONAL["kr_rrn"],), certain=0.5),
}


def _texts(kind: _Kind) -> Iterator[str]:
    random = Random(kind.entity)
    for make in kind.makes:
        for number in range(_EACH):
            sentence = _SENTENCES[number % len(_SENTENCES)]
            yield sentence.format(kind.beside + make(random), kind.beside + make(random))
    yield from written()


@cache
def _rules(entity: str) -> CompiledRules:
    """The shipped rules of one entity alone, which seal what they find, so that it can be told exactly."""
    shipped = policy.parse(policy.shipped("default"))
    only = tuple(r.model_copy(update={"action": "encrypt"}) for r in shipped.rules if r.entity == entity)
    sealed = shipped.model_copy(update={"rules": only, "encrypt": Encryption(public_key=_PUBLIC)})
    return policy.compile(sealed, policy.Material(ephemeral=bytes(32)))


def _ours(text: str, entity: str) -> set[Span]:
    """Where our rules put something else, in the original's offsets."""
    return _sealed(text, _rules(entity))


def _sealed(text: str, rules: CompiledRules) -> set[Span]:
    clean = redact.text(text, rules)[0]
    spans: set[Span] = set()
    shift = 0
    for match in SEALED.finditer(clean):
        start = match.start() + shift
        size = len(_OPENER.open(match[0]))
        spans.add((start, start + size))
        shift += size - len(match[0])
    return spans


def _theirs(text: str, name: str, least: float) -> set[Span]:
    found = ((start, end) for start, end, score in _recogniser(name).look(text) if score >= least)
    return {(end - len(text[start:end].lstrip()), end) for start, end in found}  # some patterns begin with a space


@cache
def _recogniser(name: str) -> presidio.Recogniser:
    return presidio.Recogniser(name, {})


def _unexplained(found: Iterable[tuple[str, str]], reasons: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Findings, each with its text, for which there is no reason."""
    patterns = [re.compile(pattern, re.DOTALL) for pattern, _ in reasons]
    return [pair for pair in found if not any(p.fullmatch(pair[0]) or p.fullmatch(pair[1]) for p in patterns)]


@pytest.mark.parametrize("name", _KINDS)
def test_both_find_the_same(name: str) -> None:
    """Each finding of Presidio's is ours, and each of ours is Presidio's, but for the differences listed above."""
    kind = _KINDS[name]
    same, missed, more = 0, [], []
    for text in _texts(kind):
        ours, certain = _ours(text, kind.entity), _theirs(text, kind.recogniser, kind.certain)
        same += len(ours & certain)
        missed += [(text[start:end], text) for start, end in certain - ours]
        if kind.entity != "NATIONAL_ID":  # under which we have those of fifty countries
            more += [(text[s:e], text) for s, e in ours - _theirs(text, kind.recogniser, sys.float_info.min)]
    assert same >= _LEAST, "one of the two has nothing to say"
    assert _unexplained(missed, kind.missed) == []
    assert _unexplained(more, kind.more) == []


@pytest.mark.parametrize("name", [name for name, kind in _KINDS.items() if kind.missed or kind.more])
def test_differences_are_what_they_are_said_to_be(name: str) -> None:
    """A reason that explains nothing any more has to go."""
    kind = _KINDS[name]
    missed, more = [], []
    for text in _texts(kind):
        ours = _ours(text, kind.entity)
        missed += [(text[s:e], text) for s, e in _theirs(text, kind.recogniser, kind.certain) - ours]
        more += [(text[s:e], text) for s, e in ours - _theirs(text, kind.recogniser, sys.float_info.min)]
    for found, reasons in ((missed, kind.missed), (more, kind.more)):
        for reason in reasons:
            assert len(_unexplained(found, [reason])) < len(found), reason


_PLUGGED = sorted(name for name in predefined.__all__ if name.endswith("Recognizer") and not presidio.problem(name, {}))


@pytest.mark.parametrize("name", _PLUGGED)
def test_a_recogniser_plugged_in_finds_what_it_finds(name: str) -> None:
    """The same spans with the same scores as Presidio's own class, on all of these texts."""
    theirs = getattr(predefined, name)()
    ours = presidio.Recogniser(name, {})
    for text in _all_texts():
        wanted = [(each.start, each.end, each.score) for each in theirs.analyze(text, theirs.supported_entities, None)]
        assert sorted(ours.look(text)) == sorted(wanted), text


@pytest.mark.parametrize("name", ["EsNifRecognizer", "InPanRecognizer", "IpRecognizer", "UsMbiRecognizer"])
def test_a_rule_with_a_recogniser_takes_what_it_finds(name: str) -> None:
    """Where it has the rule's confidence: nothing more goes, and nothing less."""
    rule = (
        f"{{name: theirs, entity: THEIRS, reason: Presidio finds it., detector: {{presidio: {name}}}, action: encrypt}}"
    )
    chosen = policy.parse(f"encrypt: {{public_key: {json.dumps(_PUBLIC)}}}\nrules: [{rule}]")
    rules = policy.compile(chosen, policy.Material(ephemeral=bytes(32)))
    context = keys.words(_recogniser(name).context)
    assert context is not None
    for text in _all_texts():
        if text[:1] in "[{" or not text.isascii() or "\\" in text or "%" in text or context.search(text):
            continue  # JSON, other readings and context are for the tests of those
        wanted = _disjoint(_theirs(text, name, 0.5))
        assert _sealed(text, rules) == wanted, text


def _disjoint(spans: set[Span]) -> set[Span]:
    """Findings that overlap are one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return set(merged)


@cache
def _all_texts() -> tuple[str, ...]:
    """A dozen texts of each kind, and those that hold nothing personal."""
    few = (text for kind in _KINDS.values() for text in [*_texts(kind)][:12])
    return (*few, *written())


def test_texts_of_nothing_personal_are_no_noise() -> None:
    """What Presidio finds in them below the threshold, a rule leaves."""
    below = [
        (name, text)
        for name in _PLUGGED
        for text in written()
        for *_, score in _recogniser(name).look(text)
        if score < 0.4
    ]
    assert len(below) > 20, "there is no noise to leave"
