"""What a component declares of itself, in `ARGOSY_*` entries of its environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, get_args

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean, shorten
from argosy.spec.model import ArtifactSlot, Declaration, Kind, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "ARGOSY_"
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LISTS: Final = ("reads", "env", "measurements", "verdicts", "key")
NAMES: Final = ("ARGOSY_KIND", *(PREFIX + name.upper() for name in LISTS))


def read_declaration(env: Mapping[str, str], place: str) -> Declaration:
    """Read the `ARGOSY_*` entries of an environment; other entries are left alone.

    Raises:
        Mistake: An entry has an unknown name, an unknown kind, or no JSON list of texts.

    """
    for name in env:
        if name.startswith(PREFIX) and name not in NAMES:
            raise Mistake(f"{place}.{name}: unknown{did_you_mean(name, list(NAMES))}; entries here: {', '.join(NAMES)}")
    lists = {name: _names(env.get(PREFIX + name.upper(), "[]"), f"{place}.{PREFIX}{name.upper()}") for name in LISTS}
    return Declaration(kind=_kind(env.get("ARGOSY_KIND", "step"), f"{place}.ARGOSY_KIND"), **lists)


def require_known_names(
    declaration: Declaration,
    inputs: Mapping[str, Parameter | ArtifactSlot],
    outputs: Mapping[str, Parameter | ArtifactSlot],
    *,
    place: str,
) -> None:
    """Raise where a declaration names an input or output that is not there."""
    wanted = [("ARGOSY_MEASUREMENTS", name, outputs) for name in declaration.measurements]
    wanted += [("ARGOSY_VERDICTS", name, outputs) for name in declaration.verdicts]
    wanted += [("ARGOSY_KEY", name, inputs) for name in declaration.key if not name.startswith("$")]
    for entry, name, known in wanted:
        if name not in known:
            hint = did_you_mean(name, list(known))
            raise Mistake(f"{place}.{entry}: {name!r} is unknown{hint}; known: {', '.join(known) or 'none'}")


def _kind(text: str, place: str) -> Kind:
    for kind in KINDS:
        if text == kind:
            return kind
    raise Mistake(f"{place}: got {shorten(text)}{did_you_mean(text, list(KINDS))}; allowed: {', '.join(KINDS)}")


def _names(text: str, place: str) -> tuple[str, ...]:
    try:
        names = json.loads(text)
    except ValueError as error:
        raise Mistake(f"{place}: got {shorten(text)}; a JSON list of texts is needed here") from error
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise Mistake(f"{place}: got {shorten(names)}; a JSON list of texts is needed here")
    return tuple(names)
