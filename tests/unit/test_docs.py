"""The reference pages say what the package does."""

import importlib.util
from pathlib import Path

import pytest

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
