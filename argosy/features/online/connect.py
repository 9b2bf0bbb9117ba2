"""Open an online store by its URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from argosy.errors import Mistake, Outage
from argosy.features.online.rows import ELSEWHERE
from argosy.features.online.typed import TypedRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.features.online.packed import PackedStore
    from argosy.features.online.rows import OnlineStore

PROJECT = "argosy"
_FORMS = (
    "sqlite:///folder/online.db (from the working folder), sqlite:////folder/online.db (from the root), "
    "redis://[user:password@]host:port/db or rediss:// for TLS, each with ?project=NAME for another Feast project "
    f"than {PROJECT}"
)


def named_online(env: Mapping[str, str]) -> str:
    """Return the URL of the online store that the environment names.

    Raises:
        Mistake: It names none.

    """
    url = env.get("ARGOSY_ONLINE")
    if not url:
        raise Mistake(
            f"ARGOSY_ONLINE: not set, so there is no online store; in a cluster it is in the secret `argosy`: {_FORMS}"
        )
    return url


def open_online(url: str) -> OnlineStore:
    """Open the online store at a URL; nothing of Feast is imported.

    Raises:
        Mistake: The URL is none of a store.

    """
    return TypedRows(open_packed(url))


def open_packed(url: str) -> PackedStore:
    """Open the store behind it, of rows as bytes."""
    if url == ELSEWHERE:
        raise Outage("online store: the cluster's, of which this machine knows no URL; a step in the cluster asks it")
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    project = query.pop("project", [PROJECT])[0]
    if query:
        raise Mistake(f"online store: {sorted(query)} in its URL mean nothing; allowed are {_FORMS}")
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        from argosy.features.online.sqlite import SqliteRows

        return SqliteRows(Path(unquote(parts.path[1:])), project)
    if parts.scheme in ("redis", "rediss") and parts.hostname:
        from argosy.features.online.redis import connect

        return connect(parts._replace(query="").geturl(), project)
    raise Mistake(f"online store: {parts.scheme}:... is no URL of one; allowed are {_FORMS}")
