"""Takes what lies outside into the store: files of this machine, objects of S3, GCS and Azure, files behind http.

Whoever imports looks every time. What has the tags that it had before need not be read again: `seen/<digest>.json`
says which blobs it came to. That is a cache; without it everything is read anew.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from argosy.errors import ArgosyError, BadInput, Outage, Unsupported
from argosy.launcher.artifacts import name_artifact, store_artifact
from argosy.launcher.canonical import digest_of, normal_json
from argosy.launcher.placeholders import fill
from argosy.launcher.step import Outcome, Output

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from argosy.launcher.artifacts import Artifact
    from argosy.launcher.buckets import Bucket
    from argosy.launcher.step import Input
    from argosy.launcher.store import Store
    from argosy.launcher.web import WebFile

SEEN: Final = "seen"
NOTES: Final = "gc/forgotten.json"
"""The blobs that `argosy gc` found nothing to need; they may be about to go."""
WEB: Final = ("http", "https")
SCHEMES: Final = ("s3", "gs", "az", *WEB)
REACHED: Final = (
    "only files, s3://, gs://, az://, http:// and https:// can be reached",
    "copy it to one of these first",
)
"""Why an importer is refused any other URI, and what to do instead."""


@dataclass(frozen=True)
class Import:
    """What an importer takes in.

    Attributes:
        uri: Where it lies; empty where an input says so.
        input: The name of that input.
        metadata: Of the artifact; its texts may hold placeholders for inputs.

    """

    uri: str
    input: str | None
    metadata: Mapping[str, Any]


def observe_import(
    component: str, asked: Import, inputs: Mapping[str, Input], outputs: Iterable[str], *, store: Store, place: str
) -> Outcome:
    """Bring an importer to its end: what it sees may have changed, so no earlier end stands for it.

    Args:
        component: The importer's name, for its key.
        asked: What it says.
        inputs: What it is given.
        outputs: The names of its outputs.
        store: Where it brings what it sees.
        place: The importer, for messages.

    """
    began = time.perf_counter()
    try:
        artifact = take_in(asked, inputs, store, place)
    except ArgosyError as error:
        return Outcome("failed", error=str(error), exit_code=error.exit_code)
    found = {name: Output(artifact) for name in outputs}
    return Outcome("observed", observed_key(component, inputs), found, time.perf_counter() - began)


def observed_key(component: str, inputs: Mapping[str, Input]) -> str:
    """Return what stands for a task that no earlier one stands for."""
    return digest_of([component, {name: entry.identity for name, entry in inputs.items()}])


def take_in(asked: Import, inputs: Mapping[str, Input], store: Store, place: str) -> Artifact:
    """Bring what an importer names into the store.

    Args:
        asked: What the importer says.
        inputs: What it is given.
        store: Where it is brought.
        place: The importer, for messages.

    Raises:
        BadInput: There is nothing, or nothing that these credentials may read.
        Outage: It did not answer, or changed while it was read.
        Unsupported: No such URI can be reached.

    """
    values = {name: entry.value for name, entry in inputs.items()}
    uri = str(values[asked.input]) if asked.input else asked.uri
    # The compiler made floats of whole numbers; Kubeflow hands them to steps as they were written.
    metadata = fill(normal_json(asked.metadata), {"inputs": {"parameterValues": values, "artifacts": {}}})
    place = f"{place}: importer ({uri})"
    path = local_path(uri)
    if path is not None:
        if not path.exists():
            raise BadInput(f"{place}: {path.absolute()} is not there; give a path that is")
        return store_artifact(store, path, metadata)
    if not is_reached(uri):
        raise Unsupported(f"{place}: cannot be imported: {'; '.join(REACHED)}")
    return _take_in_remote(uri, metadata, store, place)


def local_path(uri: str) -> Path | None:
    """Return the file or folder that a URI names on this machine, None for one that lies elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Path(unquote(parts.path))
    return Path(uri) if "://" not in uri else None


def is_reached(uri: str) -> bool:
    """Say whether what a URI names can be imported, as far as its form tells."""
    return local_path(uri) is not None or uri.partition("://")[0] in SCHEMES


def _take_in_remote(uri: str, metadata: Mapping[str, Any], store: Store, place: str) -> Artifact:
    source = _source(uri, place)
    found = source.look()
    # Without tags nothing says that it is still the same.
    tagged = [[each.name, each.size, each.tag] for each in found]
    record = (
        f"{SEEN}/{digest_of([uri, tagged]).removeprefix('sha256:')}.json" if all(each.tag for each in found) else ""
    )
    files = _known(store, record) if record else None
    if files is None:
        files = {}
        with tempfile.TemporaryDirectory(prefix="argosy-import-") as folder:
            for each in found:
                file = Path(folder) / "file"
                if source.fetch(each, file) != each.tag:
                    raise Outage(f"{place}: {each.name or uri} changed while it was read; run again")
                files[each.name] = store.put_file(file)
        if record:
            store.write_json(record, {"uri": uri, "files": {name: list(blob) for name, blob in files.items()}})
    return name_artifact(store, "file" if list(files) == [""] else "folder", files, metadata)


def _source(uri: str, place: str) -> Bucket | WebFile:
    # 20 ms of imports that a run without importers does not feel.
    if uri.partition("://")[0] in WEB:
        from argosy.launcher.web import WebFile

        return WebFile(uri, place)
    from argosy.launcher.buckets import Bucket

    return Bucket(uri, place)


def _known(store: Store, record: str) -> dict[str, tuple[str, int]] | None:
    """Return the blobs that were read earlier, if all of them are there and none is about to go."""
    document = store.read_json(record)
    if document is None:
        return None
    files = {name: (str(sha256), int(size)) for name, (sha256, size) in document["files"].items()}
    leaving = (store.read_json(NOTES) or {}).get("blobs", {})
    stay = all(sha256 not in leaving and store.is_sound(sha256, size) for sha256, size in files.values())
    return files if stay else None


def stale_sights(store: Store, needed: frozenset[str]) -> Sequence[str]:
    """Return the paths of what was noted of imports of which a blob is needed no more."""
    found = []
    for path in store.paths(SEEN):
        document = store.read_json(path) or {"files": {"": ["damaged", 0]}}
        found += [] if needed.issuperset(sha256 for sha256, _ in document["files"].values()) else [path]
    return found
