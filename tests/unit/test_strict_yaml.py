"""YAML as operators write it: mistakes are sentences, and say nothing of the values."""

from importlib.resources import files
from pathlib import Path

import pytest

from spansieve import strict_yaml
from spansieve.strict_yaml import NotYaml

SHIPPED = sorted(path for path in Path(str(files("spansieve"))).rglob("*.yaml") if "dialects" not in path.parts)
DEEP = 1500  # over Python's limit of nested calls


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\nb: 2\na: 3", "not valid YAML in line 3: the key 'a' stands twice"),
        ("a: {1: x, 0x1: y}", "not valid YAML in line 1: the key 1 stands twice"),
        ("a: [", "not valid YAML in line 1: expected the node content, but found '<stream end>'"),
        (
            "a:\n\tb: 1",
            "not valid YAML in line 2: found character '\\t' that cannot start any token: indent with spaces",
        ),
        ("\0", "not valid YAML: it holds characters that YAML does not allow"),
        ("a: 2026-02-31", "not valid YAML: it holds a number or a date that is none"),
        ("a: !!int hunter2", "not valid YAML: it holds a number or a date that is none"),
        ("[" * DEEP, "not valid YAML: it is nested too deeply"),
    ],
)
def test_a_mistake_is_the_end_of_a_sentence(text: str, why: str) -> None:
    """With its line, where there is one."""
    with pytest.raises(NotYaml) as caught:
        strict_yaml.load(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        ("a: [1, '1', true]", {"a": [1, "1", True]}),
        ("{1: a, '1': b}", {1: "a", "1": "b"}),
        ("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
    ],
)
def test_what_is_no_mistake_is_read(text: str, tree: object) -> None:
    """As YAML 1.1 has it; what a merge brings may be overridden."""
    assert strict_yaml.load(text) == tree


def test_no_tag_makes_an_object() -> None:
    """It is data."""
    with pytest.raises(NotYaml, match="could not determine a constructor"):
        strict_yaml.load("a: !!python/object/apply:os.getcwd []")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shipped_reads_the_same_strictly(path: Path) -> None:
    """Nothing stands twice in it, and both parsers agree."""
    text = path.read_text("utf-8")
    assert strict_yaml.load_shipped(text) == strict_yaml.load(text)
