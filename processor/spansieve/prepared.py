"""What a configuration names beside its keys: files of policies and prices, read and compiled; and what looks wrong."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from spansieve import journal_start, policy_source, price_table, sampling_plan
from spansieve.catalogue import Semconv
from spansieve.config import ConfigError, GatewayConfig
from spansieve.export import access
from spansieve.export.access import Access
from spansieve.measure.pricing import PriceTable
from spansieve.measure.settings import ApplicationMetrics, MeterSettings, OwnLabel
from spansieve.redact import CompiledRules, PolicyError
from spansieve.sample.probes import Probes


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a configuration names beside its keys, read and compiled: a second's work, done once for each load."""

    rules: CompiledRules
    prices: PriceTable
    access: Access | None  # to the peer of exporters.otlp


def problems(settings: GatewayConfig) -> list[str]:
    """Everything that keeps the gateway from starting with a valid configuration: files that it names, the policy."""
    try:
        prepare(settings)
    except ConfigError as error:
        return error.problems
    return []


def prepare(settings: GatewayConfig) -> Prepared:
    """Read and compile what a configuration names. Raises ConfigError with every problem found."""
    found: list[str] = []
    rules: CompiledRules | None = None
    prices: PriceTable | None = None
    try:
        rules = _rules(settings)
    except ConfigError as error:
        found += error.problems
    try:
        prices = price_table.load(settings.measure.prices)
    except ConfigError as error:
        found += [f"measure.prices: {problem}" for problem in error.problems]
    try:
        sampling_plan.plan(settings.sampling, Probes())  # each sampler has its own, this only looks for problems
    except ConfigError as error:
        found += error.problems
    if rules is not None:
        found += sampling_plan.entity_problems(settings.sampling, set(rules.entities.values()))
    reached: Access | None = None
    try:
        reached = access.read(settings.exporters.otlp) if settings.exporters.otlp else None
    except ConfigError as error:
        found += error.problems
    if (file := settings.redaction.key_file) is not None and not file.is_file():
        found.append(f"redaction.key_file: there is no file {file}.")
    if (directory := settings.storage.directory).exists() and not directory.is_dir():
        found.append(f"storage.directory: {directory} is a file, and a directory is needed.")
    if (file := settings.storage.key_file) is not None and not file.parent.is_dir():
        found.append(f"storage.key_file: there is no directory {file.parent}, where a key could be or be made.")
    found = list(dict.fromkeys(found))
    if rules is None or prices is None or found:
        raise ConfigError(found)
    return Prepared(rules, prices, reached)


class Doubt(NamedTuple):
    """What can be, and is probably not meant: an event of the log, the key that it is about, and what to do."""

    event: str
    key: str
    why: str
    remedy: str


def doubts(settings: GatewayConfig, rules: CompiledRules) -> Iterator[Doubt]:
    """What looks wrong about a configuration whose policy is `rules`, and about the directory that it names."""
    if settings.redaction.names != "off" and not rules.named:
        yield Doubt(
            "names_are_not_looked_for",
            "redaction.names",
            "the policy asks for none",
            "include the pack names in the policy",
        )
    if settings.storage.durability == "memory" and journal_start.is_left(settings.storage):
        yield Doubt(
            "journal_is_not_read",
            "storage.durability",
            "there is a journal that may owe something",
            "set it to fsync once, until all is delivered",
        )
    with suppress(OSError):  # it is made, for us alone; or who opens it says why that cannot be
        if settings.storage.directory.stat().st_mode & stat.S_IWOTH:
            yield Doubt(
                "storage_is_open",
                "storage.directory",
                "everybody may write to it",
                "chmod o-w: others can remove what is owed there",
            )


def _rules(settings: GatewayConfig) -> CompiledRules:
    """Compile the policy that the configuration names. Raises ConfigError with every problem found."""
    name = settings.redaction.policy
    try:
        return policy_source.load(name, os.environ, settings.redaction.key_file)
    except PolicyError as error:
        raise ConfigError([f"redaction.policy {name}: {problem}" for problem in error.problems]) from None


def meter_settings(settings: GatewayConfig) -> MeterSettings:
    """What the configuration says of measuring."""
    wanted = settings.measure
    return MeterSettings(
        semconv=Semconv(wanted.semconv),
        label_limit=wanted.label_limit,
        own_labels=tuple(OwnLabel(label.label, label.attribute) for label in wanted.labels),
        allowed={
            **{label: frozenset(values) for label, values in wanted.allow.items()},
            **{label.label: frozenset(label.allow) for label in wanted.labels if label.allow},
        },
        application_metrics=ApplicationMetrics(wanted.application_genai_metrics),
        conversation_idle_s=wanted.conversation_idle,
        normalise=wanted.normalise,
        user_key=secrets.token_bytes(32),
        # A decision may be late by its round, and a reload may lengthen the wait.
        exemplar_patience_s=3 * settings.sampling.decision_wait,
    )
