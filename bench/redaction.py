"""What redaction alone costs on one core, on texts of each kind, beside Presidio's `analyze()` on the same texts.

    python -m bench.redaction [--quick] [--results DIRECTORY]

- **clean**: 8 KB of prose in which nothing is to be found, also no look-alike.
- **dense**: 8 KB of prose with a personal value every 160 bytes.
- **notes**: the dense texts as people write and paste them: in lines, with a list of numbers, quotes, escaped ones, a
  backslash, a brace, accents.
- **records**: the dense texts in log records of JSON, a line each, with a time.
- **json**: `gen_ai.input.messages` of 8 KB, a personal value in 2 KB, look-alikes more often.
- **turns**: a conversation of 20 turns, each sending all that was said; its cost against that of each message alone.
- **hostile**: 64 KiB each of what makes regular expressions slow.

The policy is `default`; the memory of texts is off but for `turns`, where each conversation starts with an empty one.
Time is the process's CPU time. Presidio runs in a process of its own, right after each of ours, without an NLP model
and with nothing around it, its recognisers made once and warm. Both are asked for the same: our rules of which its
predefined recognisers find the like, for the countries that it knows, and its entities of the like of these rules
(`SAME`; those of other languages are made for English), with all else that either finds left out. Dates and URLs are
left out with it: they are what it finds most of, and no personal data by themselves. `nine` asks both only for what
every policy has on (`NINE`). The figures report, they do not gate.
"""

import argparse
import importlib
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from bench import redaction_report
from bench.machine import describe
from bench.micro import default_rules
from bench.prose import Prose
from spansieve import process, redact
from spansieve.redact import policy
from spansieve.redact.rules.cache import Cache
from spansieve.redact.rules.compiled import CompiledRules

_SIZE = 8192
_TURNS = 20
_HOSTILE = 65536
_DENSE_GAP = 160.0
_KEY = "gen_ai.input.messages"
_PRESIDIO_SECONDS = 10.0

_THRESHOLD = 0.3  # of Presidio: below it is noise

NINE: dict[str, tuple[str, ...]] = {
    "email": ("EMAIL_ADDRESS",),
    "phone": ("PHONE_NUMBER",),
    "phone_called": ("PHONE_NUMBER",),
    "payment_card": ("CREDIT_CARD",),
    "iban": ("IBAN_CODE",),
    "us_ssn": ("US_SSN",),
    "us_itin": ("US_ITIN",),
    "ipv4_public": ("IP_ADDRESS",),
    "ipv4_private": ("IP_ADDRESS",),
    "ipv6_public": ("IP_ADDRESS",),
    "ipv6_private": ("IP_ADDRESS",),
    "mac": ("MAC_ADDRESS",),
    "bitcoin": ("CRYPTO",),
    "bitcoin_segwit": ("CRYPTO",),
}
"""Nine entities that both find in texts without a word beside them: by our rule, Presidio's."""

SAME = NINE | {
    "national_id": (
        "AU_ABN", "AU_MEDICARE", "AU_TFN", "ES_NIE", "ES_NIF", "FI_PERSONAL_IDENTITY_CODE", "IN_AADHAAR", "IN_GSTIN",
        "IN_PAN", "IT_FISCAL_CODE", "IT_VAT_CODE", "KR_RRN", "MEDICAL_LICENSE", "NG_NIN", "PL_PESEL", "SG_NRIC_FIN",
        "TH_TNIN", "UK_NHS", "UK_NINO", "US_MBI", "US_NPI",
    ),
    "id_number": (
        "IN_PASSPORT", "IN_VEHICLE_REGISTRATION", "IT_DRIVER_LICENSE", "IT_IDENTITY_CARD", "IT_PASSPORT",
        "KR_DRIVER_LICENSE", "KR_PASSPORT", "NG_VEHICLE_REGISTRATION", "UK_PASSPORT", "UK_VEHICLE_REGISTRATION",
        "US_DRIVER_LICENSE", "US_PASSPORT",
    ),
    "bank_account": ("ABA_ROUTING_NUMBER", "US_BANK_NUMBER"),
}  # fmt: skip
"""All that both find: by our rule, the entities of Presidio."""

_COUNTRIES = ("AU", "ES", "FI", "GB", "IN", "IT", "KR", "NG", "PL", "SG", "TH", "US")  # of these entities

_ASKED = {"same": SAME, "nine": NINE}

_KINDS = ("clean", "dense", "notes", "records", "json")
_BESIDE_PRESIDIO = ("clean", "dense", "json")
_ODD = (' - he said "no" and', r" or \"yes\", ", " at the naïve café", r" in C:\new", " of {x}", "\n12. item\n13. item")
"""What stands at the ends of some lines of notes."""


class _Writer(Prose):
    """Prose in which values stand as far apart as it is told."""

    def __init__(self, random: Random, gap: float) -> None:
        self._mean = gap
        super().__init__(random)

    def _gap(self, mean: int) -> float:  # noqa: ARG002 - in place of what prose.py has for all traffic
        return self._random.expovariate(1 / self._mean) if self._mean else float("inf")


def texts(kind: str, count: int) -> list[str]:
    """So many texts of a kind, the same each time."""
    random = Random(kind)  # noqa: S311 - not a secret
    if kind == "json":
        prose = Prose(random)
        return [_messages([prose.text(_SIZE // 8, []) for _ in range(8)]) for _ in range(count)]
    if kind in ("notes", "records"):
        return [(_note if kind == "notes" else _records)(text) for text in texts("dense", count)]
    writer = _Writer(random, 0 if kind == "clean" else _DENSE_GAP)
    return [writer.text(_SIZE, []) for _ in range(count)]


def _note(text: str) -> str:
    """A text in lines, of which every fifth ends in something odd."""
    lines = textwrap.wrap(text, 72, break_on_hyphens=False, break_long_words=False)
    return "\n".join(line + (_ODD[n // 5 % len(_ODD)] if n % 5 == 0 else "") for n, line in enumerate(lines))


def _records(text: str) -> str:
    """A text in log records, a line each."""
    said = textwrap.wrap(text, 200, break_on_hyphens=False, break_long_words=False)
    return "\n".join(json.dumps({"ts": 1767225600 + n, "level": "info", "msg": each}) for n, each in enumerate(said))


def _messages(contents: Sequence[str]) -> str:
    roles = ("user", "assistant")
    return json.dumps(
        [{"role": roles[n % 2], "parts": [{"type": "text", "content": content}]} for n, content in enumerate(contents)],
        ensure_ascii=False,
    )


def hostile() -> dict[str, str]:
    """Texts of 64 KiB that cost the most."""
    random = Random(0)  # noqa: S311 - not a secret
    seeds = {
        "dots": ".",
        "at signs": "@",
        "brackets": "[{",
        "dotted digits": "1.2.3.4.",
        "dotted letters": "a.a.a@",
        "digits in groups": "4111 1111 1111 1112 ",
        "quotes": '\\"',
        "valid cards": "4111 1111 1111 1111 ",
        "addresses": "a@example.com ",
        "é and cards": "é4111111111111112",
        "words for secrets": '"password": "password": ',
    }
    made = {name: (seed * _HOSTILE)[:_HOSTILE] for name, seed in seeds.items()}
    alphabets = {
        "digit soup": "0123456789 -.",
        "@ soup": "@@@ab.",
        "escapes and brackets": '%&\\\\{}[]"ux04;#,: ',
        "nested brackets": "[]{}",
    }
    soups = {name: "".join(random.choices(alphabet, k=_HOSTILE)) for name, alphabet in alphabets.items()}
    columns = "\n".join(
        f"{random.random():.12f}\t{random.randrange(10**9)} {random.randrange(10**6)}" for _ in range(3000)
    )
    return (
        made
        | soups
        | {"number columns": columns[:_HOSTILE], "1,600 dots and a URL": "." * 1600 + "https://example.com"}
    )


def seconds(work: Callable[[], object], least: float) -> float:
    """CPU time of one go, over as many as fit into `least` seconds; at least two, and the first does not count."""
    work()
    goes = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < least or not goes:
        work()
        goes += 1
    return spent / goes


def throughput(rules: CompiledRules, of: Sequence[str], key: str, least: float) -> tuple[float, int]:
    """MB/s over these texts, and how many values are replaced in them."""
    forgetful = replace(rules, cache=Cache(0))
    size = sum(len(text.encode()) for text in of)
    spent = seconds(lambda: [redact.text(text, forgetful, key) for text in of], least)
    return size / spent / 1e6, sum(redact.text(text, forgetful, key)[1].total() for text in of)


def conversation(rules: CompiledRules, least: float) -> float:
    """What 20 turns that resend all before them cost, as a multiple of what their messages cost once each."""
    prose = Prose(Random("turns"))  # noqa: S311 - not a secret
    said = [prose.text(1024, []) for _ in range(2 * _TURNS)]
    sent = [_messages(said[: 2 * turn + 1]) for turn in range(_TURNS)]

    def resend() -> None:
        fresh = replace(rules, cache=Cache())
        for text in sent:
            redact.text(text, fresh, _KEY)

    def once() -> None:
        fresh = replace(rules, cache=Cache())
        for text in said:
            redact.text(_messages([text]), fresh, _KEY)

    return seconds(resend, least) / seconds(once, least)


def rules_of(names: Iterable[str]) -> CompiledRules:
    """Some rules of the policy `default`, for Presidio's countries."""
    whole = policy.parse(policy.shipped("default"))
    rules = tuple(rule for rule in whole.rules if rule.name in names)
    return policy.compile(whole.model_copy(update={"rules": rules, "countries": _COUNTRIES}))


def presidio_throughput(of: Sequence[str], entities: Iterable[str]) -> tuple[float, int]:
    """MB/s of Presidio over as many of these texts as it manages in some seconds, and what it finds in a text."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.redaction", "--presidio"],
        input=json.dumps({"texts": list(of), "entities": sorted(set(entities))}),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    size = sum(len(text.encode()) for text in of[: answer["texts"]])
    return float(size / answer["cpu_s"] / 1e6), answer["found"] // answer["texts"]


def _without_language(nlp: Any) -> Any:  # noqa: ANN401 - a module that has no types
    """Presidio's NLP engine that knows nothing; newer versions ship one."""

    class Nothing(nlp.NlpEngine):  # type: ignore[misc]  # its base has no types
        def load(self) -> None:
            """Nothing to load."""

        def is_loaded(self) -> bool:
            return True

        def process_batch(self, texts: Sequence[str], language: str, **_: object) -> Any:  # noqa: ANN401 - as above
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, _word: str, _language: str) -> bool:
            return False

        is_punct = is_stopword

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

        def process_text(self, _text: str, language: str) -> Any:  # noqa: ANN401 - as above
            return nlp.NlpArtifacts([], [], [], [], self, language, scores=[])

    return Nothing()


def _presidio() -> None:
    """Analyse the texts that come in as JSON, for some seconds of CPU time."""
    tldextract: Any = importlib.import_module("tldextract")
    analyzer: Any = importlib.import_module("presidio_analyzer")
    nlp: Any = importlib.import_module("presidio_analyzer.nlp_engine")
    # It would fetch the list of public suffixes from the network; the one in the package serves.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    asked = json.load(sys.stdin)
    wanted = asked["entities"]
    registry = analyzer.RecognizerRegistry(recognizers=_recognisers(analyzer, wanted), supported_languages=["en"])
    engine = analyzer.AnalyzerEngine(registry=registry, nlp_engine=_without_language(nlp), supported_languages=["en"])
    engine.analyze(asked["texts"][0], language="en", entities=wanted)  # what is loaded late is loaded now
    texts, found = 0, 0
    began = time.process_time()
    for text in asked["texts"]:
        found += len(engine.analyze(text, language="en", entities=wanted, score_threshold=_THRESHOLD))
        texts += 1
        if time.process_time() - began > _PRESIDIO_SECONDS:
            break
    json.dump({"cpu_s": time.process_time() - began, "texts": texts, "found": found}, sys.stdout)


def _recognisers(analyzer: Any, wanted: Sequence[str]) -> list[Any]:  # noqa: ANN401 - as above
    """Presidio's predefined recognisers of some entities, each made for English. Raises ValueError when one is none."""
    predefined = importlib.import_module("presidio_analyzer.predefined_recognizers")
    classes = [
        each
        for each in vars(predefined).values()
        if isinstance(each, type)
        and (issubclass(each, analyzer.PatternRecognizer) or each is predefined.PhoneRecognizer)
    ]
    made = [each(supported_language="en") for each in classes]
    found = [each for each in made if not set(wanted).isdisjoint(each.supported_entities)]
    if missing := set(wanted).difference(*(each.supported_entities for each in found)):
        raise ValueError(f"Presidio has no recogniser of {', '.join(sorted(missing))}")
    return found


def run(*, quick: bool) -> dict[str, Any]:
    """Measure all of it."""
    least, count = (0.3, 8) if quick else (2.0, 40)
    rules = default_rules()
    beside = {name: (rules_of(asked), set(chain.from_iterable(asked.values()))) for name, asked in _ASKED.items()}
    process.settle_in()  # else a text of many anchors pays for a look at all that was loaded
    results: dict[str, Any] = {"machine": describe(), "policy": rules.digest, "texts": {}}
    for kind in _KINDS:
        of = texts(kind, count)
        speed, found = throughput(rules, of, _KEY if kind == "json" else "", least)
        cell: dict[str, Any] = {"mb_s": speed, "values": found, "bytes_per_value": _SIZE * count // max(1, found)}
        if not quick and kind in _BESIDE_PRESIDIO:
            cell["beside"] = {}
            for name, (same, entities) in beside.items():
                ours, values = throughput(same, of, "", least)
                theirs, found = presidio_throughput(of, entities)
                cell["beside"][name] = {
                    "mb_s": ours,
                    "values": values // count,
                    "presidio_mb_s": theirs,
                    "presidio_values": found,
                }
        results["texts"][kind] = cell
    results["turns"] = conversation(rules, least)
    forgetful = replace(rules, cache=Cache(0))
    results["hostile_ms"] = {
        name: 1000 * seconds(lambda text=text: redact.text(text, forgetful), 0.1)  # type: ignore[misc]  # bound now
        for name, text in hostile().items()
    }
    return results


def main() -> None:
    """Measure, print the page, and write it."""
    parser = argparse.ArgumentParser(prog="bench.redaction", description="Redaction alone, MB/s of CPU time.")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, without Presidio")
    parser.add_argument("--presidio", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, metavar="DIRECTORY", help="where redaction.md and redaction.json go")
    arguments = parser.parse_args()
    if arguments.presidio:
        _presidio()
        return
    results = run(quick=arguments.quick)
    page = redaction_report.markdown(results)
    sys.stdout.write(page)
    if arguments.results:
        (arguments.results / "redaction.md").write_text(page, encoding="utf-8")
        (arguments.results / "redaction.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
