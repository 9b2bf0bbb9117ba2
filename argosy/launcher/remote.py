"""Object storage over a network that loses requests and answers: how long it is waited for, and what a put came to."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, GenericError
from obstore.store import from_url

from argosy.errors import Mistake

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CLOCK: Final = "clock"
"""The object that is written to learn what time the server has."""
# obstore reads these from the environment (AWS_ALLOW_HTTP, AZURE_PROXY_URL) only where it is given no others.
TOLD: Final = (
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "root_certificate",
    "timeout",
)
CLOUDS: Final = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}


@dataclass(frozen=True)
class Patience:
    """How long a remote store is waited for. Left alone, obstore tries for three minutes before it gives up.

    Attributes:
        request_s: For one request, from its first byte to the last one of its answer.
        connect_s: For a connection.
        retries: How often a request that failed is sent again.
        total_s: How long after the first try a new one may begin.
        creations: How often a create-only put begins anew once it is known that nothing came of it.

    """

    request_s: float = 20.0
    connect_s: float = 5.0
    retries: int = 4
    total_s: float = 40.0
    creations: int = 3

    def retry(self) -> RetryConfig:
        """Return what obstore is told of retries."""
        backoff = timedelta(milliseconds=100), timedelta(seconds=2)
        return {
            "max_retries": self.retries,
            "retry_timeout": timedelta(seconds=self.total_s),
            "backoff": {"init_backoff": backoff[0], "max_backoff": backoff[1], "base": 2},
        }

    def client(self, url: str) -> ClientConfig:
        """Return what obstore is told of connections; what the environment says of them counts for more."""
        cloud = CLOUDS.get(url.partition(":")[0], "AWS")
        named = {name: f"{cloud}_{name.upper()}" for name in TOLD}
        ours = {"timeout": timedelta(seconds=self.request_s), "connect_timeout": timedelta(seconds=self.connect_s)}
        theirs = {name: os.environ[variable] for name, variable in named.items() if variable in os.environ}
        return cast("ClientConfig", ours | theirs)


def open_remote(url: str, patience: Patience) -> Any:
    """Open a bucket.

    Raises:
        Mistake: The URL's scheme is unknown, or it names no bucket.

    """
    try:
        return from_url(url, retry_config=patience.retry(), client_options=patience.client(url))
    except (BaseError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise Mistake(f"store {url}: {reason}; give a folder or an s3://, gs:// or az:// URL") from error


def create(objects: Any, path: str, data: bytes, *, tries: int) -> bool:
    """Write an object only where there is none; say whether this call made it, also where the answer got lost.

    Args:
        objects: An open bucket.
        path: The object's path.
        data: Bytes that no other writer writes.
        tries: How often to begin anew after an error that left nothing.

    """
    for left in reversed(range(tries)):
        try:
            obstore.put(objects, path, data, mode="create")
        except AlreadyExistsError:
            # Perhaps ours: sent again after an answer that did not arrive.
            return read(objects, path) == data
        except GenericError:
            found = read(objects, path)
            if found is not None:
                return found == data
            if not left:
                raise
        else:
            return True
    return False


def read(objects: Any, path: str) -> bytes | None:
    """Return an object's bytes, or None where there is none."""
    try:
        return bytes(obstore.get(objects, path).bytes())
    except FileNotFoundError:
        return None


class ServerClock:
    """The time by the server's own clock: learned once in a while, counted on here in between."""

    def __init__(self, objects: Any) -> None:
        self._objects = objects
        self._learned: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """Return the server's time, to the second."""
        if self._learned is None:
            obstore.put(self._objects, CLOCK, b"")
            self._learned = obstore.head(self._objects, CLOCK)["last_modified"], _elapsed()
        told, at = self._learned
        return told + timedelta(seconds=_elapsed() - at)


def _elapsed() -> float:
    # A machine that slept has to count that time too, which Linux alone can tell.
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
