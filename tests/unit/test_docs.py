"""The reference pages say what the package does, and what the guides show works."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from spansieve import prepared
from spansieve.config import GatewayConfig

_DOCS = Path(__file__).parents[2] / "docs"
_SPEC = importlib.util.spec_from_file_location("docs_generate", _DOCS / "generate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
generate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_reference_page_is_current(name: str) -> None:
    """`make docs` would change nothing."""
    assert (_DOCS / "reference" / name).read_text(encoding="utf-8") == generate.pages()[name]


_TELL = {"redaction", "sampling", "measure", "storage"}  # no key of a Collector or of a policy


def _configurations() -> Iterator[tuple[str, str]]:
    """Each fenced example of a configuration in the README and the guides, by the file and what it begins with."""
    for file in (_DOCS.parent / "README.md", *sorted((_DOCS / "guides").glob("*.md"))):
        for example in re.findall(r"```yaml\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL):
            keys = yaml.safe_load(example)
            if isinstance(keys, dict) and keys.keys() & _TELL:
                yield f"{file.name}: {', '.join(keys)}", example


@pytest.mark.parametrize(
    "example", [text for _, text in _configurations()], ids=[name for name, _ in _configurations()]
)
def test_a_configuration_that_a_guide_shows_is_one(example: str) -> None:
    """`spansieve check` finds nothing to say of it."""
    assert prepared.problems(GatewayConfig.model_validate(yaml.safe_load(example))) == []
