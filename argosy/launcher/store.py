"""The store: immutable blobs named by their digest, and small JSON documents written once or replaced whole.

One interface over a local folder and object storage (S3, GCS, Azure) by URL, through obstore. Create-only puts are
the one primitive that correctness rests on.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore

from argosy.errors import Mistake, Outage
from argosy.launcher.canonical import canonical_json, digest_of
from argosy.launcher.endings import is_full
from argosy.launcher.remote import Patience, ServerClock, create, open_remote, read
from argosy.launcher.stamps import Stamps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHUNK = 1 << 20
BLOBS: Final = "blobs/sha256"
SEAL: Final = "seal"
"""The entry of every document that digests the rest of it: a flipped byte in a value may still be JSON."""
WRITER: Final = "writer"
"""The entry of every created document that is nobody else's: whoever finds it knows that the put was their own."""
AGAIN: Final = timedelta(hours=12)
"""The age at which a blob is put again before a record names it, so that no `argosy gc` takes it for forgotten."""
# A missing bucket shows as a missing file where none can be missing: when something is written.
REFUSALS = (PermissionDeniedError, UnauthenticatedError, FileNotFoundError)


@dataclass(frozen=True)
class Entry:
    """An object of a store: its size in bytes, when it was last written by the store's clock, its tag."""

    path: str
    size: int
    modified: datetime
    tag: str


class Store:
    """Blobs and documents under one URL."""

    def __init__(self, url: str, stamps: Stamps, patience: Patience) -> None:
        self.url = url
        self.stamps = stamps
        self.root = _local_root(url)
        self._objects = _open_local(self.root) if self.root else open_remote(url, patience)
        # On this machine no answer gets lost.
        self._tries = 1 if self.root else patience.creations
        self._clock = ServerClock(self._objects)

    # Documents

    def read(self, path: str) -> bytes | None:
        """Return an object's bytes, or None where there is none."""
        with self._outages(path):
            return read(self._objects, path)

    def read_json(self, path: str) -> dict[str, Any] | None:
        """Return a document, or None where there is none or where it is torn or damaged."""
        data = self.read(path)
        try:
            document = json.loads(data or b"null")
        except ValueError:
            return None
        if not isinstance(document, dict) or document.pop(SEAL, None) != digest_of(document):
            return None
        document.pop(WRITER, None)
        return document

    def write(self, path: str, data: bytes) -> None:
        """Write an object whole, replacing what was there."""
        with self._outages(path):
            obstore.put(self._objects, path, data)

    def write_json(self, path: str, document: Mapping[str, Any]) -> None:
        """Write a document whole, replacing what was there."""
        self.write(path, _sealed(document))

    def create_json(self, path: str, document: Mapping[str, Any]) -> bool:
        """Write a document only where there is none; say whether this call made it."""
        data = _sealed({**document, WRITER: secrets.token_hex(8)})
        with self._outages(path):
            return create(self._objects, path, data, tries=self._tries)

    def paths(self, prefix: str) -> list[str]:
        """List the paths under a folder, sorted."""
        return [entry.path for entry in self.entries(prefix)]

    def entries(self, prefix: str) -> list[Entry]:
        """List what lies under a folder, sorted by path."""
        with self._outages(prefix):
            found = obstore.list(self._objects, prefix).collect()
        return sorted((_entry(each) for each in found), key=lambda entry: entry.path)

    def entry(self, path: str) -> Entry | None:
        """Return what is known of an object without reading it, or None where there is none."""
        with self._outages(path):
            try:
                return _entry(obstore.head(self._objects, path))
            except FileNotFoundError:
                return None

    def now(self) -> datetime:
        """Return the time by the clock that `Entry.modified` goes by."""
        if self.root is not None:
            return datetime.now(UTC)
        with self._outages(self.url):
            return self._clock.now()

    def delete(self, path: str) -> None:
        """Delete an object; deleting what is not there is no error."""
        with self._outages(path):
            try:
                obstore.delete(self._objects, path)
            except FileNotFoundError:
                return

    # Generations: chains of create-only documents

    def latest(self, folder: str) -> tuple[int, dict[str, Any] | None]:
        """Return the highest generation in a folder and its document; (0, None) where there is none."""
        numbers = self.generations(folder)
        if not numbers:
            return 0, None
        return numbers[-1], self.read_json(f"{folder}/{numbers[-1]:08d}.json")

    def generations(self, folder: str) -> list[int]:
        """List the generation numbers in a folder, ascending."""
        # Listing goes deeper: the generations of `a/b` are not those of `a`.
        names = (path.removeprefix(f"{folder}/").removesuffix(".json") for path in self.paths(folder))
        return sorted(int(name) for name in names if name.isdecimal())

    def append(self, folder: str, generation: int, document: Mapping[str, Any]) -> bool:
        """Create one generation; False if a twin created it first."""
        return self.create_json(f"{folder}/{generation:08d}.json", document)

    # Blobs

    def put_file(self, path: Path) -> tuple[str, int]:
        """Store a file's bytes and return their SHA-256 (hex) and size; damaged copies are replaced."""
        if self.root is not None:
            with self._outages(str(path)):
                return self._put_local_file(self.root, path)
        sha256, size = hash_file(path)
        if not self._will_stay(sha256, size):
            self._put_blob(sha256, path)
        return sha256, size

    def put_bytes(self, data: bytes) -> str:
        """Store bytes and return their SHA-256 (hex)."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self._will_stay(sha256, len(data)):
            self._put_blob(sha256, data)
        return sha256

    def is_sound(self, sha256: str, size: int, *, reread: bool = False) -> bool:
        """Say whether a blob is there and holds what its name says.

        A local blob whose stat is unknown or changed is hashed again. Elsewhere its size is compared, and it is read
        where its tag is another than when this machine last put or read it. `reread` reads every byte in any case.
        """
        path = self.blob_file(sha256)
        if path is None:
            return self._remote_is_sound(sha256, size, reread=reread)
        if reread:
            self.stamps.forget("blob", path)
        try:
            return path.stat().st_size == size and self.stamps.fact("blob", path, lambda: hash_file(path)[0]) == sha256
        except FileNotFoundError:
            return False

    def fetch_blob(self, sha256: str, size: int, target: Path) -> None:
        """Bring a sound blob to a path: a read-only symlink on this machine (for root a copy), a copy elsewhere.

        Raises:
            Outage: The blob is missing or damaged.

        """
        target.parent.mkdir(parents=True, exist_ok=True)
        path = self.blob_file(sha256)
        if path is not None and self.is_sound(sha256, size):
            _lend(path, target)
            return
        if path is not None or not self._download(sha256, target):
            raise Outage(
                f"blob sha256:{sha256} in {self.url} is missing or damaged; run the pipeline again to rebuild it"
            )

    def read_blob(self, sha256: str) -> bytes | None:
        """Return a blob's bytes, or None if it is missing or damaged."""
        data = self.read(blob_path(sha256))
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None

    def _download(self, sha256: str, target: Path) -> bool:
        """Bring a remote blob to a path piece by piece; False, and nothing there, if it is missing or damaged."""
        hasher = hashlib.sha256()
        with target.open("xb") as file:
            for chunk in self._pieces(blob_path(sha256)):
                hasher.update(chunk)
                file.write(chunk)
        if hasher.hexdigest() != sha256:
            target.unlink()
            return False
        target.chmod(0o444)
        return True

    def _pieces(self, path: str) -> Iterator[bytes]:
        with self._outages(path):
            try:
                found = obstore.get(self._objects, path)
            except FileNotFoundError:
                return
            for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def _put_blob(self, sha256: str, data: bytes | Path) -> None:
        path = blob_path(sha256)
        with self._outages(path):
            tag = obstore.put(self._objects, path, data)["e_tag"]
        if self.root is None and tag:
            self.stamps.note_tag(f"{self.url}/{path}", tag)

    def blob_chunks(self, sha256: str) -> Iterator[bytes] | None:
        """Return a blob's bytes piece by piece, or None if it is missing or damaged."""
        path = self.blob_file(sha256)
        if path is None:
            data = self.read_blob(sha256)
            return None if data is None else iter([data])
        if not path.is_file() or not self.is_sound(sha256, path.stat().st_size):
            return None
        return _chunks(path)

    def blob_file(self, sha256: str) -> Path | None:
        """Return where a blob lies on this machine, or None for a remote store."""
        return self.root / blob_path(sha256) if self.root else None

    def _put_local_file(self, root: Path, path: Path) -> tuple[str, int]:
        # Hash and copy in one pass: what is named is exactly what was read.
        staged = root / "staging" / secrets.token_hex(8)
        staged.parent.mkdir(parents=True, exist_ok=True)
        hasher = hashlib.sha256()
        try:
            with staged.open("xb") as target:
                for chunk in _chunks(path):
                    hasher.update(chunk)
                    target.write(chunk)
            sha256, size = hasher.hexdigest(), staged.stat().st_size
            if not self._will_stay(sha256, size):
                staged.chmod(0o444)
                final = root / blob_path(sha256)
                final.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(final)
        finally:
            staged.unlink(missing_ok=True)
        return sha256, size

    def _remote_is_sound(self, sha256: str, size: int, *, reread: bool) -> bool:
        entry = self.entry(blob_path(sha256))
        if entry is None or entry.size != size:
            return False
        name = f"{self.url}/{entry.path}"
        if not reread and self.stamps.noted_tag(name) in {None, entry.tag}:
            return True
        sound = self.read_blob(sha256) is not None
        if sound:
            self.stamps.note_tag(name, entry.tag)
        return sound

    def _will_stay(self, sha256: str, size: int) -> bool:
        """Say whether a blob is sound and so young that no `argosy gc` can be about to delete it."""
        if not self.is_sound(sha256, size):
            return False
        entry = self.entry(blob_path(sha256))
        return entry is not None and self.now() - entry.modified < AGAIN

    @contextmanager
    def _outages(self, path: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            if is_full(error):
                raise Outage(_no_room(f"store {self.url}", f"{path}: {_first_line(error)}")) from error
            if self.root is not None or isinstance(error, REFUSALS):
                raise Mistake(_unusable(self.url, f"{path}: {_first_line(error)}")) from error
            raise Outage(f"store {self.url}: {path}: {_first_line(error)}") from error


def open_store(url: str | None = None, *, state: Path | None = None, patience: Patience | None = None) -> Store:
    """Open a store; `ARGOSY_STORE` where no URL is given, `.argosy/store` where neither is.

    Args:
        url: A folder's path or a URL that obstore knows (`s3://bucket/prefix`).
        state: This machine's folder for stamps; by default the one that holds a local store, else `ARGOSY_STATE`, which
            commands and pods set, or `.argosy`.
        patience: How long a remote store is waited for.

    Raises:
        Mistake: A local folder cannot be made or written, or the URL's scheme is unknown.

    """
    url = url or os.environ.get("ARGOSY_STORE") or ".argosy/store"
    root = _local_root(url)
    state = state or (root.parent if root else Path(os.environ.get("ARGOSY_STATE") or ".argosy"))
    try:
        stamps = Stamps(state.absolute() / "stamps.sqlite")
    except Exception as error:  # sqlite3.OperationalError and OSError alike mean: this folder cannot be used
        if is_full(error):
            raise Outage(_no_room(str(state), str(error))) from error
        raise Mistake(_unusable(str(state), str(error))) from error
    return Store(url, stamps, patience or Patience())


def blob_path(sha256: str) -> str:
    """Return the object path of a blob."""
    return f"{BLOBS}/{sha256[:2]}/{sha256[2:]}"


def hash_file(path: Path) -> tuple[str, int]:
    """Return the SHA-256 (hex) and size of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _lend(blob: Path, target: Path) -> None:
    if os.geteuid():
        target.symlink_to(blob)
        return
    # Nothing is read-only to root, and what a step writes into its inputs must not reach the store.
    shutil.copyfile(blob, target)
    target.chmod(0o444)


def _local_root(url: str) -> Path | None:
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(url).absolute() if parts.scheme == "" else None


def _open_local(root: Path) -> LocalStore:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return LocalStore(root, mkdir=True)
    except (BaseError, OSError) as error:
        raise Mistake(_unusable(str(root), _first_line(error))) from error


def _entry(known: Any) -> Entry:
    return Entry(known["path"], known["size"], known["last_modified"], known["e_tag"] or "")


def _sealed(document: Mapping[str, Any]) -> bytes:
    return canonical_json({**document, SEAL: digest_of(dict(document))})


def _first_line(error: Exception) -> str:
    """Leave out the dump of internals that obstore's messages end with."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _no_room(place: str, reason: str) -> str:
    return f"{place}: no room is left: free some space and run again ({reason})"


def _unusable(place: str, reason: str) -> str:
    return f"store {place} cannot be read or written: {reason}; choose another with --store or ARGOSY_STORE"
