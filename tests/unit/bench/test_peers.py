import re
from random import Random

import pytest
import yaml
from bench.peers import collector, rotel, spansieve
from bench.prose import LOOK_ALIKES
from demo.planted import KINDS, plant

from spansieve import config

ENVIRONMENT = {
    "BENCH_GRPC": "127.0.0.1:1",
    "BENCH_HTTP": "127.0.0.1:2",
    "BENCH_HEALTH": "127.0.0.1:3",
    "BENCH_SINK": "127.0.0.1:4",
    "BENCH_DECISION_WAIT": "2s",
    "BENCH_BASELINE": "10",
    "BENCH_LIMIT_MIB": "64",
    "BENCH_DIRECTORY": "data",
}


def test_the_gateway_takes_its_configuration() -> None:
    """The file beside the peer is valid."""
    assert config.load(spansieve.CONFIG, ENVIRONMENT).sampling.decision_wait == 2.0


def test_gateway_and_collector_have_the_same_policies() -> None:
    """What one keeps the other keeps, but for the choice of the random share."""
    text = collector.CONFIG.read_text(encoding="utf-8").replace("${env:BENCH_BASELINE}", "10")
    theirs = yaml.safe_load(text)["processors"]["tail_sampling"]["policies"]
    ours = config.load(spansieve.CONFIG, ENVIRONMENT).sampling.policies
    assert [p.model_dump(mode="json", exclude_defaults=True) for p in ours] == theirs


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_collectors_patterns_find_each_kind_of_value(kind: str) -> None:
    """The comparison is fair: the Collector has a pattern for whatever is planted."""
    seeded = Random(1)
    patterns = [re.compile(pattern) for pattern in collector.patterns()]
    for _ in range(50):
        planted = plant(kind, seeded)
        assert any(pattern.search(f"It is {planted.text} today.") for pattern in patterns), kind


@pytest.mark.parametrize("kind", ["uuid", "hex", "date", "semver", "order"])
def test_the_collectors_patterns_leave_most_look_alikes(kind: str) -> None:
    """Nor is recall bought by taking everything."""
    seeded = Random(2)
    patterns = [re.compile(pattern) for pattern in collector.patterns()]
    texts = [LOOK_ALIKES[kind](seeded) for _ in range(200)]
    assert sum(any(p.search(f"It is {text} today.") for p in patterns) for text in texts) < 5


def test_every_peer_says_what_it_leaves_out() -> None:
    """A row of the table is no claim of equality."""
    assert all(peer.LEAVES_OUT for peer in (spansieve, collector, rotel))
