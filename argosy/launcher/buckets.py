"""Objects of S3, GCS and Azure that are imported, by obstore and the credentials of this process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from argosy.errors import BadInput, Mistake, Outage
from argosy.launcher.remote import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK: Final = 1 << 20
PATIENCE: Final = Patience(request_s=600.0)
"""An object may be large: a request ends with the last byte, and one that is cut off goes on from where it was."""


@dataclass(frozen=True)
class Sight:
    """A file as it lies outside.

    Attributes:
        name: Relative to what was asked for; empty for that itself.
        tag: Changes with its bytes; empty where nobody says.

    """

    name: str
    path: str
    size: int
    tag: str


class Bucket:
    """What lies under one URI of a bucket."""

    def __init__(self, uri: str, place: str) -> None:
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        self._place = place
        self._key = key.strip("/")
        self._is_folder = key.endswith("/") or not self._key
        try:
            self._objects: Any = from_url(
                f"{scheme}://{bucket}", retry_config=PATIENCE.retry(), client_options=PATIENCE.client(uri)
            )
        except (BaseError, ValueError) as error:
            raise Mistake(f"{place}: {_first_line(error)}; give a URI like s3://bucket/path") from error

    def look(self) -> list[Sight]:
        """Return the object under the URI, or all objects of the folder that it names, sorted.

        Raises:
            BadInput: There is none.

        """
        with self._errors():
            return self._file() or self._folder()

    def fetch(self, sight: Sight, target: Path) -> str:
        """Bring an object to a path; return the tag that it had."""
        with self._errors(), target.open("wb") as file:
            found = obstore.get(self._objects, sight.path)
            for chunk in found.stream(min_chunk_size=CHUNK):
                file.write(chunk)
            return found.meta["e_tag"] or ""

    def _file(self) -> list[Sight]:
        if self._is_folder:
            return []
        try:
            return [_sight("", obstore.head(self._objects, self._key))]
        except FileNotFoundError:
            return []

    def _folder(self) -> list[Sight]:
        listed = obstore.list(self._objects, self._key or None).collect()
        start = len(self._key) + 1 if self._key else 0
        # What stands for a folder itself is an empty object with the folder's name.
        found = [_sight(each["path"][start:], each) for each in listed if len(each["path"]) > start]
        if not found:
            raise self._nothing()
        return sorted(found, key=lambda each: each.name)

    def _nothing(self) -> BadInput:
        return BadInput(f"{self._place}: nothing is there; give the URI of an object or of a folder that holds some")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise BadInput(
                f"{self._place}: these credentials may not read it: {_first_line(error)}; set others (AWS_*, GOOGLE_*, "
                "AZURE_*), or AWS_SKIP_SIGNATURE=true and its like where anybody may"
            ) from error
        except FileNotFoundError as error:
            raise self._nothing() from error
        except ValueError as error:
            raise BadInput(f"{self._place}: {_first_line(error)}; such a name can be no file's") from error
        except (BaseError, OSError) as error:
            raise Outage(f"{self._place}: {_first_line(error)}") from error


def _sight(name: str, known: Any) -> Sight:
    return Sight(name, known["path"], known["size"], known["e_tag"] or "")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
