"""Take pushed rows from a Redis stream into the online store, under the rule of everything else that writes there.

A row is acknowledged after it was written, so one whose consumer died comes again; ordered writes make that nothing.
A row from the future waits for its instant, for it would hide the valid one before it; one that nobody can read, or
that lies further ahead than clocks may differ, goes to the stream `<stream>:refused` with the reason.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput, Outage
from argosy.features.instants import now_us
from argosy.features.online.marks import online_view
from argosy.features.online.pushed import Pushed, arrival, read_pushed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from redis import Redis

    from argosy.features.online.rows import OnlineStore
    from argosy.features.rules import View

GROUP = "argosy"
ROW = b"row"
BATCH = 500
BLOCK_MS = 1_000
# A consumer that has not acknowledged for so long is taken for dead, and its rows are taken over.
IDLE_MS = 30_000
AHEAD_US = 5_000_000
LAG_BUCKETS_S = (1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400)

log = logging.getLogger(__name__)

Entry = tuple[bytes, Any]


@dataclass
class Account:
    """What became of the rows of each view: counts by outcome, and by how long after its event a row came."""

    refused: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    lags: Counter[tuple[str, str]] = field(default_factory=Counter)

    def report(self) -> dict[str, Any]:
        """Return outcomes and lags by view, as JSON."""
        views = sorted({view for view, _ in self.lags})
        return {
            view: {
                "outcomes": {what: count for (name, what), count in sorted(self.outcomes.items()) if name == view},
                "lag_s": {bound: self.lags[view, bound] for bound in _BOUNDS if self.lags[view, bound]},
            }
            for view in views
        }


_BOUNDS = [*(f"<={bound}" for bound in LAG_BUCKETS_S), f">{LAG_BUCKETS_S[-1]}"]


@dataclass(frozen=True)
class Consumer:
    """One reader of a stream.

    Args:
        redis: The connection that the stream is read from; its answers are bytes.
        stream: Of the pushed rows, each in a field `row`.
        name: Of this reader among those of the group.
        views: The online views, by name.
        online: Where rows go.
        clock: Returns now, in microseconds since 1970 UTC.

    """

    redis: Redis
    stream: str
    name: str
    views: Mapping[str, View]
    online: OnlineStore
    clock: Callable[[], int] = now_us
    account: Account = field(default_factory=Account)

    def join(self) -> None:
        """Make the group that shares the stream, from its first row on, unless it is there."""
        from redis.exceptions import ResponseError

        try:
            self.redis.xgroup_create(self.stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def take(self, *, block_ms: int = BLOCK_MS) -> int:
        """Take the rows of dead readers, then new ones, at most a batch; return how many were settled.

        Raises:
            Outage: A Redis does not answer; what was not acknowledged comes again.

        """
        from redis.exceptions import ConnectionError as Lost
        from redis.exceptions import TimeoutError as Late

        try:
            entries = self._abandoned() or self._new(block_ms)
            return self._settle(entries) if entries else 0
        except (Lost, Late) as error:
            raise Outage(
                f"stream {self.stream!r}: its Redis does not answer ({error}); start again, nothing is lost"
            ) from error

    def _abandoned(self) -> list[Entry]:
        answer: Any = self.redis.xautoclaim(self.stream, GROUP, self.name, min_idle_time=IDLE_MS, count=BATCH)
        return [entry for entry in answer[1] if entry[1] is not None]

    def _new(self, block_ms: int) -> list[Entry]:
        answer: Any = self.redis.xreadgroup(GROUP, self.name, {self.stream: ">"}, count=BATCH, block=block_ms)
        return list(answer[0][1]) if answer else []

    def _settle(self, entries: list[Entry]) -> int:
        """Write what may be written, refuse what may not, then acknowledge all."""
        good: dict[str, list[Pushed]] = {}
        for number, fields in entries:
            try:
                pushed = read_pushed(fields.get(ROW, b""), self.views)
                self._await(pushed)
                good.setdefault(pushed.view.name, []).append(pushed)
            except BadInput as error:
                self._refuse(number, fields, str(error))
        for rows in good.values():
            self._write(rows)
        self.redis.xack(self.stream, GROUP, *(number for number, _ in entries))
        return len(entries)

    def _await(self, pushed: Pushed) -> None:
        """Wait for a row's instant, where clocks may differ by what is left until then."""
        ahead = pushed.row.event_us - self.clock()
        if ahead > AHEAD_US:
            raise BadInput(
                f"{pushed.view.name}: its event lies {ahead / 1e6:.3f} s ahead; allowed are {AHEAD_US / 1e6:g} s: "
                "look at the sender's clock and time zone"
            )
        while (ahead := pushed.row.event_us - self.clock()) > 0:
            time.sleep(ahead / 1e6)

    def _write(self, rows: list[Pushed]) -> None:
        """Write the rows of one view that are inside its TTL, and account for all."""
        view, now = rows[0].view, self.clock()
        alive: list[Pushed] = []
        for pushed in rows:
            how = arrival(pushed, now)
            self.account.outcomes[view.name, "expired" if how == "expired" else f"{how} on arrival"] += 1
            self.account.lags[view.name, _bound((now - pushed.row.event_us) / 1e6)] += 1
            alive += [] if how == "expired" else [pushed]
        done = self.online.write(online_view(view), [pushed.row for pushed in alive])
        self.account.outcomes[view.name, "written"] += done.written
        self.account.outcomes[view.name, "superseded"] += done.superseded

    def _refuse(self, number: bytes, fields: dict[Any, Any], reason: str) -> None:
        """Set a row aside with the reason."""
        log.warning("refused %s of %s: %s", number.decode(), self.stream, reason)
        self.account.refused += 1
        self.redis.xadd(f"{self.stream}:refused", {**fields, b"reason": reason, b"of": number})


def _bound(lag_s: float) -> str:
    """Name the bucket of a lag in seconds."""
    return next((f"<={bound}" for bound in LAG_BUCKETS_S if lag_s <= bound), f">{LAG_BUCKETS_S[-1]}")


def push(redis: Redis, stream: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Put rows into a stream, as `read_pushed` reads them; return how many."""
    pipeline = redis.pipeline(transaction=False)
    for row in rows:
        pipeline.xadd(stream, {ROW: json.dumps(row)})
    return len(pipeline.execute())
