"""Files behind http and https that are imported, as anybody may read them."""

from __future__ import annotations

import http.client
import shutil
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from argosy.errors import BadInput, Outage
from argosy.launcher.buckets import Sight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENCE_S: Final = 60.0
"""For how long a server may send nothing."""
TRY_AGAIN: Final = frozenset({408, 425, 429})


class WebFile:
    """The file under one URI."""

    def __init__(self, uri: str, place: str) -> None:
        self._uri, self._place = uri, place

    def look(self) -> list[Sight]:
        """Return the one file.

        Raises:
            BadInput: There is none.

        """
        with self._errors(), self._open() as answer:
            return [Sight("", self._uri, int(answer.headers.get("Content-Length") or -1), _tag(answer))]

    def fetch(self, sight: Sight, target: Path) -> str:
        """Bring the file to a path; return the tag that it had."""
        with self._errors(), self._open() as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
            if sight.size >= 0 and file.tell() != sight.size:
                raise Outage(f"{self._place}: {file.tell()} bytes of {sight.size} came; run again")
            return _tag(answer)

    def _open(self) -> http.client.HTTPResponse:
        # Sent as `identity`, the bytes are those of the file.
        request = urllib.request.Request(self._uri, headers={"Accept-Encoding": "identity", "User-Agent": "argosy"})  # noqa: S310  # http or https
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=SILENCE_S)  # noqa: S310
        return answer

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            said = f"{self._place}: the server answered {error.code} {error.reason}"
            if error.code >= 500 or error.code in TRY_AGAIN:
                raise Outage(said) from error
            raise BadInput(f"{said}; give a URI that anybody may read") from error
        except http.client.InvalidURL as error:
            raise BadInput(f"{self._place}: {error}; write %20 and its like in the URI") from error
        except (OSError, http.client.HTTPException) as error:
            raise Outage(f"{self._place}: {getattr(error, 'reason', error)}") from error


def _tag(answer: http.client.HTTPResponse) -> str:
    """Return the tag of a file; a weak one says of other bytes that they mean the same."""
    tag = answer.headers.get("ETag") or ""
    return "" if tag.startswith("W/") else tag
