"""Act on a registry: register a version, draw a ref's generation, read what is there.

The two that write look outside first and adopt what they find. Each may be killed at any point, repeated, and
run beside itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.registry.client import connect
from argosy.registry.projection import Generation, project
from argosy.registry.protocol import RegisteredModel, Version
from argosy.registry.source import digest_of, source_of
from argosy.registry.tags import describe, read_signature, version_tags
from argosy.registry.versions import settle_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def register_version(
    *, tracking_uri: str, name: str, model: Path, digest: str, effect_key: str, tags: Mapping[str, str]
) -> dict[str, str]:
    """Make the registry hold one version of the model.

    Args:
        tracking_uri: `sqlite:///<path>` or the address of an MLflow server.
        name: Of the registered model.
        model: The model folder: model.onnx, signature.json, card.json.
        digest: The folder's, "sha256:...".
        effect_key: Written with the version; what a killed attempt left is known by it.
        tags: Lineage and metrics (`metric_tags`), written with the version.

    Returns:
        The number of the version, as text.

    Raises:
        BadInput: The model folder has no usable signature.
        Mistake: The URI or the name is not allowed, or the registry refuses.
        Outage: The registry did not answer.

    """
    signature = read_signature(model)
    own = version_tags(signature, digest=digest, effect_key=effect_key)
    wanted = Version(0, source_of(digest), {**tags, **own}, describe(signature))
    return {"version": str(settle_version(connect(tracking_uri), name, wanted).number)}


def project_alias(
    *, tracking_uri: str, name: str, ref: str, generation: int, entry: Mapping[str, Any], effect_key: str
) -> dict[str, Any]:
    """Draw one generation of a ref into the registry: alias, stages, held versions.

    Args:
        tracking_uri: `sqlite:///<path>` or the address of an MLflow server.
        name: Of the registered model.
        ref: Its last part is the alias: "champion", "challenger".
        generation: The number of the entry in the ref's chain.
        entry: "target" (a digest), "previous" (a digest or null), "held" (digests).
        effect_key: Written with the announcement.

    Returns:
        The alias, the version that it points at, and the generation that stands: the one asked for, or a
        newer one.

    Raises:
        Mistake: The target is not registered, the URI is not allowed, or the registry refuses.
        Outage: The registry did not answer.

    """
    wanted = Generation(
        ref=ref,
        number=generation,
        target=entry["target"],
        previous=entry.get("previous"),
        held=tuple(entry.get("held", ())),
        key=effect_key,
    )
    stands, version = project(connect(tracking_uri), name, wanted)
    return {"alias": stands.alias, "version": str(version), "generation": stands.number}


def read_registry(tracking_uri: str, name: str) -> dict[str, Any]:
    """Return what the registry holds of a model.

    Returns:
        "versions" by digest (a list each, one where all is well), "foreign" ones whose source is not a
        digest, "aliases" with version numbers, and the model's own "tags".

    Raises:
        Mistake: The URI is not allowed, or the registry refuses.
        Outage: The registry did not answer.

    """
    registry = connect(tracking_uri)
    model = registry.find_model(name) or RegisteredModel()
    versions: dict[str, list[dict[str, Any]]] = {}
    foreign: list[dict[str, Any]] = []
    for version in registry.list_versions(name):
        digest = digest_of(version.source)
        shown = {"version": str(version.number), "source": version.source, "tags": dict(version.tags)}
        (foreign if digest is None else versions.setdefault(digest, [])).append(shown)
    aliases = {alias: str(number) for alias, number in model.aliases.items()}
    return {"name": name, "versions": versions, "foreign": foreign, "aliases": aliases, "tags": dict(model.tags)}
