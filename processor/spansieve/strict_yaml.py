"""YAML, as operators write it and as the package ships it.

In what operators write a key that stands twice is a mistake, and not a silent choice of the last.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

import yaml

_MERGE: Final = "tag:yaml.org,2002:merge"
_SHIPPED: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, where PyYAML was built with it: ten times as fast, and with other words for mistakes."""


class NotYaml(ValueError):
    """A text that cannot be used. The message goes on where «The file is» ends, without a full stop."""


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, expand: Callable[[str], str]) -> None:
        super().__init__(text)
        self._expand = expand

    def compose_scalar_node(self, anchor: dict[str, yaml.Node]) -> yaml.ScalarNode:
        is_plain = self.peek_event().implicit[0]  # type: ignore[no-untyped-call]  # its stubs have no types
        node = super().compose_scalar_node(anchor)
        expanded = self._expand(node.value)
        if expanded != node.value:
            node.value = expanded
            if is_plain:
                node.tag = self.resolve(yaml.ScalarNode, expanded, (True, False))  # type: ignore[no-untyped-call]  # likewise
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:  # `<<: *defaults`: what it brings may be overridden
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load(text: str, expand: Callable[[str], str] = str) -> object:
    """Read what an operator wrote: one document. Raises NotYaml, which shows no value.

    `expand` is asked what stands in place of each scalar, which remains one, whatever is put in. Without quotes it is
    read as YAML reads it.
    """
    loader: _Loader | None = None
    try:
        loader = _Loader(text, expand)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotYaml(f"not valid YAML{where}: {_problem(error)}") from None
    except yaml.YAMLError:
        raise NotYaml("not valid YAML: it holds characters that YAML does not allow") from None
    except ValueError:  # 2026-02-31, or !!int with something else
        raise NotYaml("not valid YAML: it holds a number or a date that is none") from None
    except RecursionError:
        raise NotYaml("not valid YAML: it is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


def load_shipped(text: str) -> Any:  # noqa: ANN401 - what is shipped is known
    """Read what the package ships, soon: that nothing stands twice in it is left to a test."""
    return yaml.load(text, Loader=_SHIPPED)  # noqa: S506 - a SafeLoader


def shipped(package: str, name: str) -> Any:  # noqa: ANN401 - what is shipped is known
    """Read a file of data that a package ships."""
    return load_shipped(files(package).joinpath(name).read_text(encoding="utf-8"))


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What the parser says, as half a sentence that can be acted on."""
    problem = error.problem or ""
    if problem.startswith("but found"):
        return f"{error.context}, {problem}"
    if "'\\t'" in problem:
        return f"{problem}: indent with spaces"
    return problem
