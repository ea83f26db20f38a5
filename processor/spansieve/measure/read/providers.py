"""The providers of models: their canonical names, and whose counts leave out what was cached; from `providers.yaml`."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from spansieve import strict_yaml
from spansieve.measure.read.dialects import DialectError


@cache  # the package's data do not change
def load() -> Mapping[str, str]:
    """Read `providers.yaml`: every spelling, in lower case, → the canonical provider name; "" for what is none."""
    canonical: dict[str, str] = dict.fromkeys(_providers()["frameworks"], "")
    for name, aliases in _providers()["names"].items():
        for spelling in (name, *aliases):
            if canonical.setdefault(spelling, name) != name:
                raise DialectError(f"providers.yaml: {spelling} stands for two providers")
    return MappingProxyType(canonical)


@cache  # the package's data do not change
def load_separate_cache() -> frozenset[str]:
    """Read from `providers.yaml` which providers' own counts leave cached tokens out of the input."""
    return frozenset(_providers()["input_without_cache"])


def of_model(model: str) -> str:
    """Return the canonical name of the provider who alone has models of such an id; "" where the id does not tell."""
    written = model.lower()
    return next((name for name, ids in _model_ids() if ids.fullmatch(written)), "")


@cache  # the package's data do not change
def _model_ids() -> Sequence[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile("|".join(forms))) for name, forms in _providers()["model_ids"].items()]


@cache
def _providers() -> dict[str, Any]:
    tree: dict[str, Any] = strict_yaml.shipped("spansieve.measure.read", "providers.yaml")
    return tree
