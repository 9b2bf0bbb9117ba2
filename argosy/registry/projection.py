"""What a ref says, drawn into a registry: an alias, the stage of each version, the held ones.

A registry offers no compare-and-set, and a projection may be late, killed, or beside another. So each first
*announces* its generation in a tag of its own; then all draw the newest that is announced, and look again
until nothing is left to change. Whoever writes last has read the announcements after its last write, so the
registry ends at the newest generation.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake, Outage
from argosy.registry.source import digest_of, source_of
from argosy.registry.tags import DEPRECATED, HELD, PRODUCTION, STAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.registry.protocol import RegisteredModel, Registry, Version

CHAMPION = "champion"
ROUNDS = 5


@dataclass(frozen=True)
class Generation:
    """One generation of a ref: the digest it points at, the one before, those not to be promoted."""

    ref: str
    number: int
    target: str
    previous: str | None
    held: tuple[str, ...]
    key: str

    @property
    def alias(self) -> str:
        """The alias that follows the ref: the last part of its name."""
        return self.ref.rpartition("/")[2]


@dataclass(frozen=True)
class Edit:
    """One write: a tag of a version (value None removes it), or, without a tag, the alias."""

    number: int
    tag: str | None = None
    value: str | None = None


def project(registry: Registry, name: str, generation: Generation) -> tuple[Generation, int]:
    """Draw a generation, or the newer one that is announced, into the registry.

    Returns:
        The generation that stands now, and the version number that its alias points at.

    Raises:
        Mistake: The model, or a version of the target, is not registered.
        Outage: Others kept changing the registry.

    """
    announce(registry, name, generation)
    for _ in range(ROUNDS):
        model = require_model(registry, name)
        newest = max(announced(model, generation.ref), key=lambda found: found.number)
        versions = registry.list_versions(name)
        target = require_target(versions, newest, at=name)
        edits = needed_edits(model, versions, newest)
        if not edits:
            forget_older(registry, name, newest, model=model)
            return newest, target
        for edit in edits:
            write_edit(registry, name, newest.alias, edit)
    raise Outage(f"model {name!r}: alias {generation.alias!r} was changed by others {ROUNDS} times; run again")


def announce(registry: Registry, name: str, generation: Generation) -> None:
    """Write the generation's tag, unless it or a newer one is there."""
    known = announced(require_model(registry, name), generation.ref)
    if all(found.number < generation.number for found in known):
        content = {key: value for key, value in asdict(generation).items() if key not in {"ref", "number"}}
        registry.tag_model(name, announcement(generation), json.dumps(content, sort_keys=True))


def announcement(generation: Generation) -> str:
    """Return the name of the tag that announces a generation."""
    return f"{announcements(generation.ref)}{generation.number}"


def announcements(ref: str) -> str:
    """Return what the tags that announce generations of a ref begin with."""
    return f"argosy.ref.{ref}."


def announced(model: RegisteredModel, ref: str) -> list[Generation]:
    """Return the generations of a ref that the model's tags announce."""
    prefix = announcements(ref)
    return [
        _parse(ref, int(key.removeprefix(prefix)), json.loads(text))
        for key, text in model.tags.items()
        if key.startswith(prefix) and key.removeprefix(prefix).isdecimal()
    ]


def _parse(ref: str, number: int, content: Mapping[str, Any]) -> Generation:
    return Generation(
        ref=ref,
        number=number,
        target=content["target"],
        previous=content["previous"],
        held=tuple(content["held"]),
        key=content["key"],
    )


def require_model(registry: Registry, name: str) -> RegisteredModel:
    """Return the registered model, which a projection never creates."""
    model = registry.find_model(name)
    if model is None:
        raise Mistake(f"model {name!r}: not in the registry; register a version before its alias is moved")
    return model


def require_target(versions: Sequence[Version], generation: Generation, *, at: str) -> int:
    """Return the number of the version that the generation points at."""
    source = source_of(generation.target)
    for version in versions:
        if version.source == source:
            return version.number
    raise Mistake(
        f"model {at!r}: no version of {generation.target}, at which generation {generation.number} of "
        f"{generation.ref!r} points; register it again (`argosy run --force` on the registering step)"
    )


def needed_edits(model: RegisteredModel, versions: Sequence[Version], generation: Generation) -> list[Edit]:
    """Return what has to be written so that the registry shows the generation; the alias comes first.

    Only the champion's ref says which version is in production and which are held.
    """
    target = require_target(versions, generation, at=generation.alias)
    edits = [Edit(target)] if model.aliases.get(generation.alias) != target else []
    if generation.alias != CHAMPION:
        return edits
    for version in versions:
        stage = wanted_stage(version, generation, target=target)
        held = "true" if digest_of(version.source) in generation.held else None
        for tag, value in ((STAGE, stage), (HELD, held)):
            if version.tags.get(tag) != value:
                edits.append(Edit(version.number, tag, value))
    return edits


def wanted_stage(version: Version, generation: Generation, *, target: int) -> str | None:
    """Return the stage of a version.

    Every other version in production is deprecated, not only `previous`: an earlier projection may never
    have run.
    """
    stage = version.tags.get(STAGE)
    if version.number == target:
        return PRODUCTION
    if stage == PRODUCTION or digest_of(version.source) == generation.previous:
        return DEPRECATED
    return stage


def write_edit(registry: Registry, name: str, alias: str, edit: Edit) -> None:
    """Write one edit."""
    if edit.tag is None:
        registry.set_alias(name, alias, edit.number)
    else:
        registry.tag_version(name, edit.number, edit.tag, edit.value)


def forget_older(registry: Registry, name: str, newest: Generation, *, model: RegisteredModel) -> None:
    """Remove the announcements that the newest has overtaken."""
    for found in announced(model, newest.ref):
        if found.number < newest.number:
            registry.tag_model(name, announcement(found), None)
