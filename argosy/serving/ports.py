"""Listen on a port, or say who holds it."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from argosy.errors import Mistake

BACKLOG = 2048
LISTENING = "0A"
PROC = Path("/proc")


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen; port 0 takes a free one.

    Raises:
        Mistake: The port is taken or not permitted, or the host is no address of this machine.

    """
    if not 0 <= port < 2**16:  # getaddrinfo would quietly take the rest of the division by 65536
        raise Mistake(f"--port {port}: not a port; allowed are 1 to 65535, and 0 for a free one")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise Mistake(f"--host {host}: not an address ({error}); for example 127.0.0.1") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Mistake(_explain(error, host, port)) from error
    return listener


def url_of(host: str, port: int) -> str:
    """Build the address under which this machine reaches a server that listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def find_owner(port: int) -> str | None:
    """Name the process that listens on a TCP port, as `name (pid N)`; None if this user cannot see it."""
    links = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for descriptor in PROC.glob("[0-9]*/fd/*") if links else ():
        try:
            if str(descriptor.readlink()) in links:
                process = descriptor.parent.parent
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:  # the process ended while it was read, or is another user's
            continue
    return None


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        owner = find_owner(port)
        by = f" by {owner}" if owner else ""
        return (
            f"port {port} on {host} is taken{by}; stop that process or choose another port, e.g. --port {_free(host)}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not permitted to this user; choose one from 1024 to 65535 with --port"
    return f"--host {host} --port {port}: cannot listen there ({error.strerror})"


def _free(host: str) -> int:
    with listen(host, 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("net/tcp", "net/tcp6"):
        path = PROC / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
