"""Artifacts as trees: a manifest that names every file's bytes, itself a blob, names the artifact.

The digest covers relative names, bytes and the metadata that typed artifacts carry; modes, owners and times are left
out, so that equal content has one name on every machine.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from argosy.errors import Outage, StepFailed
from argosy.launcher.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.launcher.store import Store

Kind = Literal["file", "folder", "absent"]


@dataclass(frozen=True)
class Artifact:
    """A committed artifact: its digest and the blobs it needs (SHA-256 hex to size)."""

    digest: str
    blobs: Mapping[str, int]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifacts:
    """Several artifacts under one name, in order."""

    items: tuple[Artifact, ...]

    @property
    def digests(self) -> list[str]:
        """Return what stands for the list in keys and documents."""
        return [item.digest for item in self.items]


def store_artifact(store: Store, path: Path, metadata: Mapping[str, Any]) -> Artifact:
    """Upload a file, a folder or nothing (a step may leave an output out) and name it.

    Raises:
        StepFailed: The folder holds a link to a folder, a link to nothing, or a device.

    """
    kind: Kind = "folder" if path.is_dir() else "file" if path.exists() else "absent"
    files = {name: store.put_file(file) for name, file in _files(path).items()}
    return name_artifact(store, kind, files, metadata)


def name_artifact(
    store: Store, kind: Kind, files: Mapping[str, tuple[str, int]], metadata: Mapping[str, Any]
) -> Artifact:
    """Name what is made of blobs that are in the store: SHA-256 (hex) and size by relative name, empty for a file."""
    manifest = {
        "kind": kind,
        "files": {name: {"sha256": sha256, "size": size} for name, (sha256, size) in files.items()},
        "metadata": dict(metadata),
    }
    data = canonical_json(manifest)
    sha256 = store.put_bytes(data)
    blobs = dict(files.values()) | {sha256: len(data)}
    return Artifact("sha256:" + sha256, blobs, dict(metadata))


def artifacts_in(value: Any) -> tuple[Artifact, ...]:
    """Return the artifacts that a value is made of: none for a JSON value."""
    if isinstance(value, Artifact):
        return (value,)
    return value.items if isinstance(value, Artifacts) else ()


def is_sound(store: Store, artifact: Artifact, *, reread: bool = False) -> bool:
    """Say whether every blob of an artifact is there and undamaged."""
    return all(store.is_sound(sha256, size, reread=reread) for sha256, size in artifact.blobs.items())


def materialize(store: Store, digest: str, path: Path) -> None:
    """Lay an artifact out at a path, which must not exist: read-only, never a hard link.

    Raises:
        Outage: A blob is missing or damaged.

    """
    manifest = read_manifest(store, digest)
    if manifest["kind"] == "folder":
        path.mkdir(parents=True)
    for name, entry in manifest["files"].items():
        store.fetch_blob(entry["sha256"], entry["size"], path / name if name else path)


def stored_artifact(store: Store, digest: str) -> Artifact:
    """Return an artifact of the store by its digest.

    Raises:
        Outage: Its manifest is missing or damaged.

    """
    manifest = read_manifest(store, digest)
    blobs = {entry["sha256"]: entry["size"] for entry in manifest["files"].values()}
    own = digest.removeprefix("sha256:")
    return Artifact(digest, blobs | {own: len(canonical_json(manifest))}, manifest["metadata"])


def read_manifest(store: Store, digest: str) -> dict[str, Any]:
    """Read the manifest behind a digest.

    Raises:
        Outage: The manifest's blob is missing or damaged.

    """
    data = store.read_blob(digest.removeprefix("sha256:"))
    if data is None:
        raise Outage(f"artifact {digest} in {store.url} is missing or damaged; run the pipeline again to rebuild it")
    manifest: dict[str, Any] = json.loads(data)
    return manifest


def _files(path: Path) -> dict[str, Path]:
    if path.is_file() or not os.path.lexists(path):
        return {"": path} if path.is_file() else {}
    if not path.is_dir():
        raise StepFailed(f"{path.name} is neither a file nor a folder but a device, a socket or a link to nothing")
    found = {file.relative_to(path).as_posix(): file for file in path.rglob("*")}
    if odd := [name for name in found if name.encode(errors="replace").decode() != name]:
        raise StepFailed(f"{odd[0]!a} in {path.name}: its name is not UTF-8; give it another")
    for name, file in found.items():
        if not file.is_file() and (file.is_symlink() or not file.is_dir()):
            raise StepFailed(f"{name} in {path.name} is neither a file nor a folder but a link to one or to nothing")
    return {name: file for name, file in found.items() if file.is_file()}
