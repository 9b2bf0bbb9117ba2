"""One model version per digest, however often and by however many it is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.errors import Outage
from argosy.registry.tags import KEY

if TYPE_CHECKING:
    from argosy.registry.protocol import Registry, Version


def settle_version(registry: Registry, name: str, wanted: Version) -> Version:
    """Make the registry hold exactly one version of this source with these tags, and return it.

    A version that exists is adopted, with the tags that it lacks. Of several the lowest number wins, which
    no twin can see otherwise: numbers are given in the order of commits. Surplus is deleted where it carries
    our key, that is, where a twin or a killed attempt left it.

    Args:
        registry: Where to register.
        name: Of the registered model; created where it is absent.
        wanted: The version to be; its number is not read.

    """
    versions = registry.list_versions(name, source=wanted.source)
    if not versions:
        registry.create_model(name)
        registry.create_version(name, source=wanted.source, tags=wanted.tags, description=wanted.description)
        versions = registry.list_versions(name, source=wanted.source)
    if not versions:
        raise Outage(f"model {name!r}: the version just created for {wanted.source} is gone; run again")
    winner, *surplus = versions
    for version in surplus:
        if version.tags.get(KEY) == wanted.tags[KEY]:
            registry.delete_version(name, version.number)
    for key in sorted(wanted.tags.keys() - winner.tags.keys()):
        registry.tag_version(name, winner.number, key, wanted.tags[key])
    return winner
