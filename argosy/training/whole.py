"""Take numbers back from engines that know one kind of number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def whole_numbers(value: Any) -> Any:
    """Return a JSON value in which whole floats are ints, inside objects too.

    Kubeflow hands dictionaries on as protobuf structs, whose numbers are doubles: a depth of 6 comes back as
    6.0, which is neither a number of trees nor the index of a fold.

    Example:
        >>> whole_numbers({"fold": 1.0, "params": {"max_depth": 6.0, "subsample": 0.8}})
        {'fold': 1, 'params': {'max_depth': 6, 'subsample': 0.8}}

    """
    if isinstance(value, Mapping):
        return {name: whole_numbers(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
