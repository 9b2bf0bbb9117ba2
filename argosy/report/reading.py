"""Read a run document that may lack anything: absent or odd parts read as empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.report.formats import finite

# In the order in which a reader wants to know.
STATUSES = ("failed", "ran", "observed", "reused", "unfinished", "skipped")


def mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[Any]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def rows(value: object) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, in order."""
    return [row for row in items(value) if isinstance(row, Mapping)]


def numbers(value: object) -> list[float]:
    """Return the finite numbers of a list, in order."""
    return [found for found in map(finite, items(value)) if found is not None]


def texts(value: object) -> list[str]:
    """Return the strings of a list, in order."""
    return [entry for entry in items(value) if isinstance(entry, str)]


def first(row: Mapping[str, Any], *keys: str) -> Any:
    """Return the value of the first of the keys that the row has, else None."""
    return next((row[key] for key in keys if row.get(key) is not None), None)


def section(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return one section of the run document, empty where there is none."""
    return mapping(mapping(run.get("sections")).get(name))


def steps(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the steps that have a name; of steps with one name the first."""
    named: dict[str, Mapping[str, Any]] = {}
    for step in rows(run.get("steps")):
        if isinstance(step.get("name"), str):
            named.setdefault(step["name"], step)
    return list(named.values())


def status_of(step: Mapping[str, Any]) -> str:
    """Return the status of a step; one that we do not know reads as unfinished."""
    status = step.get("status")
    return status if status in STATUSES else "unfinished"
