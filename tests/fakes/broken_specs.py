"""Specs with one field broken: deleted, renamed, of another JSON type, another name, a name twice, a cycle."""

from __future__ import annotations

import copy
import random
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Path = tuple[Any, ...]
VALUES = ("constant", "defaultValue")
NAMED = ("components", "executors", "tasks", "parameters", "artifacts")
GROUP = r"comp-(for-loop|condition|exit-handler|pipeline)[^.]*"
SAID_TO_PEOPLE = (
    r"^sdkVersion$",
    r"\.taskInfo",
    r"\.schemaVersion$",
    r"tasks\.(for-loop|condition|exit-handler|pipeline)[^.]*\.cachingOptions",  # a group runs nothing by itself
    rf"components\.{GROUP}\.(input|output)Definitions\.artifacts\.[^.]+\.artifactType\.schemaTitle$",
    r"root\.outputDefinitions\.artifacts\.[^.]+\.artifactType\.schemaTitle$",
)
"""What no target heeds."""
REDUNDANT = (
    r"^deploymentSpec\.executors\.[^.]+$",  # one that no component names
    r"^components\.[^.]+$",  # one that no task names
    rf"(components\.{GROUP}|root)\.(dag\.outputs|inputDefinitions|outputDefinitions)",  # what nobody takes
    r"tasks\.[^.]+\.inputs",
    r"\.dependentTasks",  # one that is waited for because its output is taken
    r"\.(inputs|inputDefinitions|outputDefinitions|outputs|cachingOptions|triggerPolicy|inputDefinitions\.[^.]+\.[^.]+)$",
    r"\.retryPolicy",  # a default, or for a group whose tasks have their own
    r"dag\.tasks\.(for-loop|condition|exit-handler|pipeline)[^.]*$",  # the name of a group that nobody waits for
    r"\.(isOptional|enableCache)$",
    r"\.triggerPolicy",  # of a task that waits for nothing; a condition that holds already around it
)
"""What may say again what is said elsewhere, or what holds anyway."""
OTHERS: tuple[Any, ...] = (7, "other", True, ["other"], {"other": 1})


@dataclass(frozen=True)
class Broken:
    """A spec with one field broken.

    Attributes:
        path: The keys and indices that lead to the field.
        how: What was done to it.
        was: The field's value before.

    """

    spec: dict[str, Any]
    path: Path
    how: str
    was: Any

    def is_named_in(self, message: str) -> bool:
        """Say whether a message tells of the field: it starts with a place near it, or names what was named there."""
        return any(self._is_near(line.partition(": ")[0]) for line in message.splitlines()) or any(
            name in message for name in self._names()
        )

    def has_no_meaning(self, means_the_same: Callable[[], bool]) -> bool:
        """Say whether plans rightly do not tell of the field."""
        place = dotted(self.path)
        if any(re.search(pattern, place) for pattern in SAID_TO_PEOPLE):
            return True
        return any(re.search(pattern, place) for pattern in REDUNDANT) and means_the_same()

    def _is_near(self, place: str) -> bool:
        """Say whether a place leads to the field, or above or beside it."""
        own, above = dotted(self.path), place.rpartition(".")[0]
        return bool(place) and (
            own.startswith(place) or place.startswith(own) or (bool(above) and own.startswith(above))
        )

    def _names(self) -> Iterator[str]:
        """Yield the names of what the field is part of, and of what it held."""
        for word, name in pairwise(self.path):
            if word in NAMED:
                yield str(name)
        yield str(self.path[-1])
        held = [self.was] if isinstance(self.was, str) else []
        for kind in ("parameters", "artifacts", "tasks"):
            if isinstance(self.was, dict):
                held += self.was.get(kind, ()) if isinstance(self.was.get(kind), dict) else ()
        yield from held or (self.was if isinstance(self.was, dict) else ())


def a_broken_spec(spec: dict[str, Any], seed: int) -> Broken:
    """Break one field of a spec."""
    chance = random.Random(seed)
    places = list(paths(spec))
    while True:
        changed = copy.deepcopy(spec)
        path = chance.choice(places)
        holder = _at(changed, path[:-1])
        was = copy.deepcopy(holder[path[-1]])
        how = chance.choice(list(WAYS))
        WAYS[how](holder, path[-1], chance)
        if changed != spec:
            return Broken(changed, path, how, was)


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every field of a document; values that a spec gives to steps count as one field."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        if key not in VALUES:
            yield from paths(item, (*path, key))


def without_nulls(value: Any) -> Any:
    """Return a document without its fields that are null, which are fields that are not there; values stay."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key in VALUES else without_nulls(item)
        for key, item in value.items()
        if item is not None or key in VALUES
    }


def dotted(path: Path) -> str:
    """Return a path as messages write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _delete(holder: Any, key: Any, _: random.Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, _: random.Random) -> None:
    if isinstance(key, str):
        holder[f"{key}X"] = holder.pop(key)
    else:
        holder[key] = None


def _retype(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = chance.choice([other for other in OTHERS if type(other) is not type(holder[key])])


def _misname(holder: Any, key: Any, _: random.Random) -> None:
    value = holder[key]
    holder[key] = f"{value}X" if isinstance(value, str) else [value, value] if isinstance(value, dict) else None


def _double(holder: Any, key: Any, _: random.Random) -> None:
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[f"{key}-twin"] = copy.deepcopy(holder[key])


def _cycle(holder: Any, key: Any, _: random.Random) -> None:
    """Make a task wait for itself, or for all that stand beside it; any other field becomes empty."""
    value = holder[key]
    if isinstance(value, dict) and "componentRef" in value:
        value["dependentTasks"] = list(holder)
    else:
        holder[key] = type(value)()


WAYS: dict[str, Callable[[Any, Any, random.Random], None]] = {
    "deleted": _delete,
    "renamed": _rename,
    "of another type": _retype,
    "another name": _misname,
    "twice": _double,
    "in a cycle": _cycle,
}
