"""Names that Argo takes, made of those that people gave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from argosy.argo.unsupported import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 63
PARAMETER: Final = re.compile(r"[-\w]+", re.ASCII)


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


def require_parameter_name(name: str, place: str) -> None:
    """Raise where an input or output has a name that no parameter of Argo's can have.

    Raises:
        Unsupported: The place names the object whose field it is.

    """
    if not PARAMETER.fullmatch(name):
        raise refusal(place, "name of an input or output", repr(name))
