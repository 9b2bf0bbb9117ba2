"""The Python packages that components ask for, and what of them this environment has."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


def missing_packages(requirements: Iterable[str]) -> list[str]:
    """Return the requirements that this environment does not meet."""
    return [text for text in requirements if not _is_met(text)]


def installed_instead(requirements: Iterable[str]) -> list[str]:
    """Return name and version of what is installed under the names of requirements."""
    found = (_installed(text) for text in requirements)
    return [f"{one.name} {one.version}" for one in found if one is not None]


@cache
def _is_met(text: str, within: frozenset[str] = frozenset()) -> bool:
    """Say whether a requirement is met; `within` are those that it is an extra of, which may name each other."""
    requirement = _parsed(text)
    if requirement is None:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    found = _installed(text)
    if found is None:
        return False
    if requirement.url is not None:
        return _came_from(found) == requirement.url
    if not requirement.specifier.contains(found.version, prereleases=True):
        return False
    return text in within or all(_is_met(each, within | {text}) for each in _of_extras(found, requirement))


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _installed(text: str) -> Distribution | None:
    requirement = _parsed(text)
    try:
        return None if requirement is None else distribution(requirement.name)
    except PackageNotFoundError:
        return None


def _came_from(found: Distribution) -> str:
    """Return the URL that a distribution was installed from; empty for one from an index."""
    return str(json.loads(found.read_text("direct_url.json") or "{}").get("url", ""))


def _of_extras(found: Distribution, requirement: Requirement) -> list[str]:
    """Return what the extras of a requirement require in turn."""
    needed = []
    for text in (found.requires or []) if requirement.extras else []:
        marker = getattr(_parsed(text), "marker", None)
        if (
            marker is not None
            and not marker.evaluate()
            and any(marker.evaluate({"extra": e}) for e in requirement.extras)
        ):
            needed.append(text.partition(";")[0].strip())
    return needed
