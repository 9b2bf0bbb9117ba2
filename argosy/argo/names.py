"""Names that Argo takes, made of those that people gave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 63


def slug(text: str) -> str:
    """Return a text in letters that names of Argo may have: `[a-z0-9-]`, at most 63 of them."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return found[:LONGEST].rstrip("-") or "x"


def unique(wanted: str, taken: Iterable[str]) -> str:
    """Return a name, with a number behind it where it is taken."""
    known, number, found = set(taken), 2, wanted
    while found in known:
        found = f"{wanted[: LONGEST - 4]}-{number}"
        number += 1
    return found


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Return a slug for each name, no two alike."""
    found: dict[str, str] = {}
    for name in names:
        found[name] = unique(slug(name), found.values())
    return found
