"""Prometheus rule files as text: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ ."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_SHORT = 100


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines, or long ones, stand as blocks; nothing is told by reference."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    block = "\n" in text or (len(text) > _SHORT and " " in text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)


_Dumper.add_representer(str, _text)


def text(source: str, groups: Sequence[Mapping[str, Any]], resource: Mapping[str, Any] | None = None) -> str:
    """Return the file of these groups; `source` says what it is made from.

    `resource` is the head of the Kubernetes resource whose `spec` they are to be.
    """
    content: dict[str, Any] = {"groups": list(groups)}
    if resource is not None:
        content = {**resource, "spec": content}
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True, indent=2)
    return f"# Made by `python -m stack.generate` from {source}. Change that instead.\n{body}"
