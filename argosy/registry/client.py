"""The registry protocol on MLflow: SQLite on this machine, a server elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from argosy.errors import Mistake, Outage
from argosy.registry.protocol import RegisteredModel, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SQLITE = "sqlite:///"
PAGE = 1000
ABSENT = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"
RACED = "BAD_REQUEST"
OUTDATED = "out-of-date database schema"
# How urllib3 begins to say that nobody answered, under three layers of other words.
UNREACHABLE = "Max retries exceeded"
REFUSALS = {
    "BAD_REQUEST",
    "ENDPOINT_NOT_FOUND",
    "FEATURE_DISABLED",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
}


class MlflowRegistry:
    """The registry protocol, spoken to MLflow.

    Args:
        client: Of the tracking URI.
        uri: The tracking URI, for messages.

    """

    def __init__(self, client: MlflowClient, *, uri: str) -> None:
        self._client = client
        self._uri = uri

    def find_model(self, name: str) -> RegisteredModel | None:
        """Return the registered model, or None where there is none of that name."""
        with self._asking(unless=ABSENT):
            found = self._client.get_registered_model(name)
            aliases = {alias: int(number) for alias, number in found.aliases.items()}
            return RegisteredModel(tags=dict(found.tags), aliases=aliases)
        return None

    def create_model(self, name: str) -> None:
        """Create the registered model; one that exists already is taken as it is."""
        with self._asking(unless=EXISTS):
            self._client.create_registered_model(name)

    def list_versions(self, name: str, *, source: str | None = None) -> list[Version]:
        """Return the versions of a model, of one source where given, lowest number first."""
        wanted = f"name = '{name}'" + (f" and source_path = '{source}'" if source else "")
        versions: list[Version] = []
        token = None
        with self._asking():
            while True:
                page = self._client.search_model_versions(wanted, max_results=PAGE, page_token=token)
                versions += [Version(int(v.version), v.source, dict(v.tags), v.description or "") for v in page]
                token = page.token
                if not token:
                    return sorted(versions, key=lambda version: version.number)

    def create_version(self, name: str, *, source: str, tags: Mapping[str, str], description: str) -> None:
        """Create the next version with its tags in one call."""
        with self._asking():
            self._client.create_model_version(name, source, tags=dict(tags), description=description)

    def delete_version(self, name: str, number: int) -> None:
        """Delete a version; one that is gone already stays gone."""
        with self._asking(unless=ABSENT):
            self._client.delete_model_version(name, str(number))

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias at a version."""
        self._write("set_registered_model_alias", name, alias, str(number))

    def tag_version(self, name: str, number: int, key: str, value: str | None) -> None:
        """Set a tag of a version; None removes it."""
        if value is None:
            self._write("delete_model_version_tag", name, str(number), key)
        else:
            self._write("set_model_version_tag", name, str(number), key, value)

    def tag_model(self, name: str, key: str, value: str | None) -> None:
        """Set a tag of a registered model; None removes it."""
        if value is None:
            self._write("delete_registered_model_tag", name, key)
        else:
            self._write("set_registered_model_tag", name, key, value)

    def _write(self, verb: str, *args: str) -> None:
        # MLflow looks, then inserts: of two that write one row at once, the second is told BAD_REQUEST.
        with self._asking(unless=RACED):
            getattr(self._client, verb)(*args)
            return
        with self._asking():
            getattr(self._client, verb)(*args)

    @contextmanager
    def _asking(self, *, unless: str = "") -> Iterator[None]:
        try:
            yield
        except MlflowException as error:
            if error.error_code != unless:
                raise in_our_terms(error, uri=self._uri) from error


def connect(uri: str) -> MlflowRegistry:
    """Open the registry at a tracking URI.

    Args:
        uri: `sqlite:///` and a path, created where absent, or the http(s) address of an MLflow server.

    Raises:
        Mistake: It is neither, or the file is no SQLite database.
        Outage: The database cannot be opened.

    """
    scheme = urlsplit(uri).scheme
    if uri.startswith(SQLITE) and len(uri) > len(SQLITE):
        from argosy.registry.schema import ensure_schema

        ensure_schema(uri.removeprefix(SQLITE))
    elif scheme not in {"http", "https"} or not urlsplit(uri).hostname:
        raise Mistake(
            f"tracking_uri: got {shown(uri)!r}; allowed are sqlite:///<path of a file> "
            "and the http:// or https:// address of an MLflow server"
        )
    try:
        return MlflowRegistry(MlflowClient(tracking_uri=uri, registry_uri=uri), uri=uri)
    except MlflowException as error:
        raise in_our_terms(error, uri=uri) from error


def in_our_terms(error: Any, *, uri: str) -> Mistake | Outage:
    """Return what the caller should make of an MLflow error: correct something, or try again."""
    message = str(error.message).replace(uri.rstrip("/"), shown(uri).rstrip("/"))
    if UNREACHABLE in message:
        return Outage(f"registry {shown(uri)}: does not answer; is it up? the same command may work later")
    said = f"registry {shown(uri)}: {error.error_code}: {message:.300}"
    if error.error_code in REFUSALS or OUTDATED in message:
        return Mistake(said)
    return Outage(f"{said}; is it up? the same command may work later")


def shown(uri: str) -> str:
    """Return a URI for messages, without the password that it may hold."""
    netloc = urlsplit(uri).netloc
    return uri.replace(netloc, netloc.rpartition("@")[2]) if "@" in netloc else uri
