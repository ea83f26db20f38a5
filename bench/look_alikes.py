"""Text that telemetry is made of and that holds nothing personal: what patterns take for something else, generated."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from uuid import UUID

_HEX = "0123456789abcdef"
_B62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_K8S = "bcdfghjklmnpqrstvwxz2456789"
_NAMES = [
    "checkout",
    "cart",
    "payment",
    "search",
    "ranker",
    "gateway",
    "worker",
    "ingest",
    "billing",
    "catalog",
    "auth-proxy",
    "scheduler",
]
_WORDS = [
    "the",
    "order",
    "was",
    "shipped",
    "and",
    "then",
    "a",
    "request",
    "failed",
    "because",
    "its",
    "limit",
    "of",
    "tokens",
    "is",
    "reached",
    "while",
    "we",
    "retry",
    "again",
    "with",
    "another",
    "model",
    "that",
    "answers",
    "faster",
    "after",
    "the",
    "cache",
    "returned",
    "no",
    "result",
    "for",
    "this",
    "query",
    "in",
    "time",
]


def _hex(random: Random, count: int) -> str:
    return "".join(random.choices(_HEX, k=count))


def _b62(random: Random, count: int) -> str:
    return "".join(random.choices(_B62, k=count))


def _number(random: Random, count: int) -> str:
    return random.choice("123456789") + "".join(random.choices("0123456789", k=count - 1))


def _moment(random: Random) -> datetime:
    return datetime.fromtimestamp(random.randrange(1_600_000_000, 1_830_000_000), UTC)


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _sentence(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randrange(6, 20)))


MAKERS: dict[str, Callable[[Random], str]] = {
    "uuid": _uuid,
    "uuid in capitals": lambda r: _uuid(r).upper(),
    "trace id": lambda r: _hex(r, 32),
    "span id": lambda r: _hex(r, 16),
    "traceparent": lambda r: f"00-{_hex(r, 32)}-{_hex(r, 16)}-01",
    "sha1": lambda r: _hex(r, 40),
    "sha256": lambda r: f"sha256:{_hex(r, 64)}",
    "short hash": lambda r: _hex(r, r.randrange(7, 13)),
    "capital hex": lambda r: _hex(r, r.randrange(8, 24)).upper(),
    "completion": lambda r: f"chatcmpl-{_b62(r, 29)}",
    "tool call": lambda r: f"call_{_b62(r, 24)}",
    "message": lambda r: f"msg_01{_b62(r, 22)}",
    "seconds": lambda r: str(int(_moment(r).timestamp())),
    "milliseconds": lambda r: str(int(_moment(r).timestamp()) * 1000 + r.randrange(1000)),
    "microseconds": lambda r: str(int(_moment(r).timestamp()) * 1_000_000 + r.randrange(1_000_000)),
    "nanoseconds": lambda r: str(int(_moment(r).timestamp()) * 1_000_000_000 + r.randrange(10**9)),
    "fraction of seconds": lambda r: f"{_moment(r).timestamp() + r.random():.6f}",
    "instant": lambda r: _moment(r).isoformat().replace("+00:00", "Z"),
    "instant with fraction": lambda r: _moment(r).isoformat(timespec="microseconds"),
    "basic instant": lambda r: _moment(r).strftime("%Y%m%dT%H%M%SZ"),
    "log time": lambda r: _moment(r).strftime("%Y-%m-%d %H:%M:%S,") + _number(r, 3),
    "common log time": lambda r: _moment(r).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
    "date": lambda r: _moment(r).strftime(r.choice(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %B %Y"])),
    "model": lambda r: f"{r.choice(['gpt-4o', 'claude-sonnet', 'o4-mini', 'gemini'])}-{_moment(r):%Y-%m-%d}",
    "model date": lambda r: f"claude-3-{r.choice(['haiku', 'opus'])}-{_moment(r):%Y%m%d}-v{r.randrange(1, 4)}:0",
    "version": lambda r: f"{r.randrange(20)}.{r.randrange(40)}.{r.randrange(300)}",
    "pre-release": lambda r: f"v{r.randrange(9)}.{r.randrange(40)}.{r.randrange(9)}-rc.{r.randrange(9)}+{_hex(r, 7)}",
    "product version": lambda r: f"version {r.randrange(9)}.{r.randrange(40)}.{r.randrange(90)}.{r.randrange(9000)}",
    "pod": lambda r: f"{r.choice(_NAMES)}-{''.join(r.choices(_K8S, k=10))}-{''.join(r.choices(_K8S, k=5))}",
    "stateful pod": lambda r: f"{r.choice(_NAMES)}-{r.randrange(20)}",
    "image": lambda r: f"registry.example.com/{r.choice(_NAMES)}:{_hex(r, 7)}@sha256:{_hex(r, 64)}",
    "host": lambda r: f"ip-10-{r.randrange(256)}-{r.randrange(256)}-{r.randrange(256)}.ec2.internal",
    "instance": lambda r: f"i-0{_hex(r, 16)}",
    "port": lambda r: f":{r.randrange(1024, 65536)}",
    "status": lambda r: (
        f"{r.choice(['GET', 'POST'])} /v1/{r.choice(_NAMES)} {r.choice([200, 201, 404, 503])} {r.randrange(9000)}ms"
    ),
    "count": lambda r: str(r.randrange(10_000_000)),
    "eight digits": lambda r: _number(r, 8),
    "nine digits": lambda r: _number(r, 9),
    "ten digits": lambda r: _number(r, 10),
    "eleven digits": lambda r: _number(r, 11),
    "twelve digits": lambda r: _number(r, 12),
    "snowflake": lambda r: _number(r, r.choice([17, 18])),
    "thousands": lambda r: f"{r.randrange(10**9):,}",
    "amount": lambda r: f"${r.randrange(10**6):,}.{r.randrange(100):02d}",
    "duration": lambda r: f"{r.random() * 100:.{r.randrange(3, 15)}f}",
    "negative": lambda r: f"-{r.random():.{r.randrange(6, 17)}f}",
    "exponent": lambda r: f"{r.random() * 10:.8f}e-{r.randrange(10, 40)}",
    "vector": lambda r: json.dumps([round(r.uniform(-1, 1), 8) for _ in range(6)]),
    "bytes": lambda r: json.dumps([r.randrange(256) for _ in range(12)]),
    "usage": lambda r: json.dumps({"prompt_tokens": r.randrange(10**5), "completion_tokens": r.randrange(10**4)}),
    "timing": lambda r: json.dumps({"start": int(_moment(r).timestamp() * 1000), "id": _uuid(r), "ok": True}),
    "tool": lambda r: json.dumps(
        {"name": f"get_{r.choice(_NAMES)}", "arguments": {"limit": r.randrange(100), "q": _sentence(r)}}
    ),
    "sql": lambda r: (
        f"SELECT * FROM {r.choice(_NAMES).replace('-', '_')} WHERE id = {r.randrange(10**7)} LIMIT {r.randrange(100)}"  # noqa: S608 - no query
    ),
    "address in memory": lambda r: f"<{r.choice(_NAMES)}.Client object at 0x7f{_hex(r, 10)}>",
    "frame": lambda r: f'File "/app/{r.choice(_NAMES)}/main.py", line {r.randrange(3000)}, in handle',
    "java frame": lambda r: (
        f"at com.example.{r.choice(_NAMES).replace('-', '')}.Handler.run(Handler.java:{r.randrange(900)})"
    ),
    "ticket": lambda r: f"{r.choice(['JIRA', 'OPS', 'ML'])}-{r.randrange(100000)}",
    "invoice": lambda r: f"INV-{r.randrange(2020, 2027)}-{r.randrange(10**6):06d}",
    "route": lambda r: f"/api/v{r.randrange(4)}/{r.choice(_NAMES)}/{_uuid(r)}/items?page={r.randrange(99)}&limit=50",
    "key of a cache": lambda r: f"cache key: {r.choice(_NAMES)}:{_hex(r, 16)}",
    "next page": lambda r: f"page {r.randrange(99)} of {r.randrange(99, 999)}",
    "sentence": _sentence,
    "sentence with a number": lambda r: f"{_sentence(r)} {_number(r, r.randrange(3, 8))} {_sentence(r)}",
    "sentence with an id": lambda r: f"{_sentence(r)} {_hex(r, 32)} {_sentence(r)}",
    "progress": lambda r: f"{'.' * r.randrange(10, 80)} {r.randrange(101)}%",
    "path of a drawing": lambda r: "M" + " ".join(f"{r.uniform(-9, 60):.{r.randrange(1, 7)}f}" for _ in range(12)),
    "years": lambda r: f"Copyright (C) {r.randrange(1980, 2010)}-{r.randrange(2010, 2027)} Example Ltd.",
    "characters": lambda r: " ".join(f"{r.randrange(32, 1792):04X}" for _ in range(3)),
    "resource of a cloud": lambda r: f"arn:aws:iam::{_number(r, 12)}:role/{r.choice(_NAMES)}",
    "serial number": lambda r: "Serial Number: " + ":".join(_hex(r, 2) for _ in range(8)),
    "requirement": lambda r: f"libx >= {r.randrange(30)}.{r.randrange(30)}.{r.randrange(99)}.{r.randrange(9)}",
    "advisory": lambda r: f"fixed by a call to check(), see CVE-{r.randrange(1999, 2027)}-{_number(r, 5)}",
    "test passed": lambda r: f"--- PASS: TestParse/case{r.randrange(9999)} ({r.random():.2f}s)",
    "environment": lambda r: f"PWD=/srv/{r.choice(_NAMES)} OLDPWD=/srv SHLVL={r.randrange(9)}",
}


def generated(each: int, seed: int) -> Iterator[tuple[str, str]]:
    """So many texts of each kind: (kind, text)."""
    random = Random(seed)  # noqa: S311 - no secret
    for kind, make in MAKERS.items():
        for _ in range(each):
            yield kind, make(random)
