"""The online store in Redis: a hash per entity, under Feast's key, with a field per view that holds the whole row.

A field is event, created (each 8 bytes, above the lowest, big-endian) and the values. Scripts compare and write in
one step, so that writers need no lock and a row is replaced at once.
"""

from __future__ import annotations

import json
import re
import struct
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import redis

from argosy.errors import ArgosyError, Mistake, Outage
from argosy.features.online.packed import BATCH, LOWEST, PackedRow, batches
from argosy.features.online.rows import Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_HEAD = struct.Struct(">QQ")
_WAIT_S = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}

# Lua's numbers are doubles, exact to 2^53: so each instant is compared as two halves.
_NEWER = """
local function older(a, b, halves)
    local x, y = {struct.unpack('>I4I4I4I4', a)}, {struct.unpack('>I4I4I4I4', b)}
    for i = 1, halves do
        if x[i] ~= y[i] then return x[i] < y[i] end
    end
    return false
end
local held = redis.call('HGET', KEYS[1], ARGV[1])
"""
_PUT = f"""{_NEWER}
if held and (held == ARGV[2] or older(ARGV[2], held, tonumber(ARGV[3]))) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
_DROP = f"""{_NEWER}
if not held or not older(held, ARGV[2], 2) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""


class RedisRows:
    """The rows of a project in a Redis database."""

    def __init__(self, client: redis.Redis, project: str, where: str) -> None:
        self._client, self._where = client, where
        self._suffix = project.encode()
        # Apart from the fields that Feast's own store names, and from a project whose name ends with this one's.
        self._prefix = f"argosy:{project}:"
        self._marks, self._identity = f"argosy:marks:{project}", f"argosy:identity:{project}"
        self._put, self._drop = client.register_script(_PUT), client.register_script(_DROP)

    def put(self, view: str, rows: Iterable[PackedRow]) -> Written:
        """Write rows, a round trip per batch."""
        offered = written = 0
        for batch in batches(rows):
            with self._pipeline() as pipe:
                for key, event_us, created_us, packed in batch:
                    value = _HEAD.pack(event_us - LOWEST, created_us - LOWEST) + packed
                    self._put(keys=[key + self._suffix], args=[self._field(view), value, 4], client=pipe)
                written += sum(pipe.execute())
            offered += len(batch)
        return Written(written=written, superseded=offered - written)

    def get(self, wanted: Sequence[tuple[str, bytes]]) -> list[PackedRow | None]:
        """Return rows by one request per entity, all sent together."""
        views: dict[bytes, list[str]] = {}
        for view, key in wanted:
            views.setdefault(key, []).append(view)
        with self._pipeline() as pipe:
            for key, names in views.items():
                pipe.hmget(key + self._suffix, [self._field(name) for name in names])
            answers = pipe.execute()
        found = {
            (view, key): value
            for (key, names), values in zip(views.items(), answers, strict=True)
            for view, value in zip(names, values, strict=True)
        }
        return [_row(key, found[view, key]) for view, key in wanted]

    def scan(self, view: str, prefix: bytes) -> Iterator[PackedRow]:
        """Return the rows of a view; every key of the database is looked at."""
        seen: set[bytes] = set()  # Redis may name a key twice while it grows
        for found in self._keys(prefix):
            keys = [key for key in dict.fromkeys(found) if key not in seen]
            seen.update(keys)
            with self._pipeline() as pipe:
                for key in keys:
                    pipe.hget(key, self._field(view))
                values = pipe.execute()
            rows = (_row(key.removesuffix(self._suffix), value) for key, value in zip(keys, values, strict=True))
            yield from (row for row in rows if row is not None)

    def drop_before(self, view: str, prefix: bytes, event_us: int) -> int:
        """Delete older rows, each by a script that looks at it again."""
        bound, dropped = _HEAD.pack(event_us - LOWEST, 0), 0
        for keys in self._keys(prefix):
            with self._pipeline() as pipe:
                for key in keys:
                    self._drop(keys=[key], args=[self._field(view), bound], client=pipe)
                dropped += sum(pipe.execute())
        return dropped

    def drop_view(self, view: str, prefix: bytes) -> None:
        """Delete a view's rows and its mark."""
        with self._pipeline() as pipe:
            pipe.delete(self._identity)
            pipe.hdel(self._marks, view)
            pipe.execute()
        for keys in self._keys(prefix):
            with self._pipeline() as pipe:
                for key in keys:
                    pipe.hdel(key, self._field(view))
                pipe.execute()

    def mark(self, view: str, mark: Mapping[str, object], *, at_us: int) -> bool:
        """Note a mark, unless a later one is noted."""
        value = _HEAD.pack(at_us - LOWEST, 0) + json.dumps(mark).encode()
        with self._answering():
            return bool(self._put(keys=[self._marks], args=[view, value, 2]))

    def marks(self) -> dict[str, dict[str, object]]:
        """Return what is noted, by view."""
        with self._answering():
            found = cast("dict[bytes, bytes]", self._client.hgetall(self._marks))
        return {view.decode(): json.loads(value[_HEAD.size :]) for view, value in sorted(found.items())}

    def identity(self) -> str:
        """Name the database by a random id that lies in it with the rows: whoever loses these loses it.

        A server that came back with an older snapshot keeps the name; its marks tell that it is older.
        """
        with self._answering():
            self._client.set(self._identity, uuid.uuid4().hex, nx=True)
            return cast("bytes", self._client.get(self._identity)).decode()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _field(self, view: str) -> str:
        """Name the field of a view's row."""
        return self._prefix + view

    def _keys(self, prefix: bytes) -> Iterator[list[bytes]]:
        """Return the entities' keys with a prefix, in batches; a key can come twice."""
        pattern, cursor = _literal(prefix) + b"*" + _literal(self._suffix), 0
        while True:
            with self._answering():
                cursor, keys = cast("tuple[int, list[bytes]]", self._client.scan(cursor, match=pattern, count=BATCH))
            if keys:
                yield keys
            if cursor == 0:
                return

    @contextmanager
    def _pipeline(self) -> Iterator[Any]:
        """Give a pipeline; what is not answered is an outage."""
        with self._answering(), self._client.pipeline(transaction=False) as pipe:
            yield pipe

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn errors of Redis into ours."""
        try:
            yield
        except redis.RedisError as error:
            raise _trouble(self._where, error) from error


def connect(url: str, project: str) -> RedisRows:
    """Open the rows of a project at `redis://[user:password@]host:port/db` or `rediss://`; nothing is sent yet."""
    return RedisRows(redis.Redis.from_url(url, **_WAIT_S), project, re.sub(r"//([^:/@]*):.*@", r"//\1:***@", url))


def _row(key: bytes, value: bytes | None) -> PackedRow | None:
    """Read a field."""
    if value is None:
        return None
    event, created = _HEAD.unpack_from(value)
    return PackedRow(key, event + LOWEST, created + LOWEST, value[_HEAD.size :])


def _literal(text: bytes) -> bytes:
    """Write a pattern that matches this text alone."""
    return re.sub(rb"([\[\]*?^\\-])", rb"\\\1", text)


def _trouble(where: str, error: redis.RedisError) -> ArgosyError:
    """Say what an error of Redis means."""
    if isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError):
        return Mistake(f"{where}: Redis refuses us ({error}); name its user and password in the URL")
    return Outage(f"{where}: the online store does not answer ({error}); is Redis up, reachable and not read-only?")
