"""A YAML loader for specs: JSON values only, no field twice.

A module of its own, so that only specs in YAML pay for the import.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from argosy.errors import BadInput

SafeLoader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


TEXT: Final = "tag:yaml.org,2002:str"


class StrictLoader(SafeLoader):  # type: ignore[misc]  # which of the two it is, the machine decides
    """The safe loader without dates, which refuses a field named twice."""


def _construct_object(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _construct(loader, key_node)
        where = f"line {key_node.start_mark.line + 1}"
        if not isinstance(key, str):
            raise BadInput(f"{where}: the field name {key!r} is not a text; put it in quotes")
        if key in found:
            raise BadInput(f"{where}: {key!r} is named a second time in one object")
        found[key] = _construct(loader, value_node)
    return found


def _construct(loader: Any, node: yaml.Node) -> Any:
    """Return a text as it is, which most nodes are, and anything else as the loader makes it."""
    is_text = isinstance(node, yaml.ScalarNode) and node.tag == TEXT
    return node.value if is_text else loader.construct_object(node, deep=True)


StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}
StrictLoader.add_constructor("tag:yaml.org,2002:map", _construct_object)
