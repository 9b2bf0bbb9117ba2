"""What Argosy needs of a model registry: eight verbs, each safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Version:
    """A model version as the registry shows it."""

    number: int
    source: str
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model: its own tags, and the version number behind each alias."""

    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)


class Registry(Protocol):
    """A model registry; every verb may be repeated and may meet a twin doing the same.

    Raises:
        Mistake: The registry refuses what was asked.
        Outage: The registry did not answer.

    """

    def find_model(self, name: str) -> RegisteredModel | None:
        """Return the registered model, or None where there is none of that name."""
        ...

    def create_model(self, name: str) -> None:
        """Create the registered model; one that exists already is taken as it is."""
        ...

    def list_versions(self, name: str, *, source: str | None = None) -> list[Version]:
        """Return the versions of a model, of one source where given, lowest number first."""
        ...

    def create_version(self, name: str, *, source: str, tags: Mapping[str, str], description: str) -> None:
        """Create the next version with its tags in one call."""
        ...

    def delete_version(self, name: str, number: int) -> None:
        """Delete a version; one that is gone already stays gone."""
        ...

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias at a version."""
        ...

    def tag_version(self, name: str, number: int, key: str, value: str | None) -> None:
        """Set a tag of a version; None removes it."""
        ...

    def tag_model(self, name: str, key: str, value: str | None) -> None:
        """Set a tag of a registered model; None removes it."""
        ...
