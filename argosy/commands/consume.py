"""`argosy features consume`: take pushed rows from a Redis stream into the online store until told to end."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import redis

from argosy.commands.features import repository
from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake
from argosy.features.definitions.compile import describe_all, rules_of
from argosy.features.online.connect import open_online
from argosy.features.online.streaming import Consumer
from argosy.project import online_url
from argosy.session import open_session

if TYPE_CHECKING:
    from types import FrameType

TOLD_EVERY_S = 60.0
ENDING = (signal.SIGTERM, signal.SIGINT)


def consume_stream(stream: str, source: str | None, online: str | None, *, drain: bool, as_json: bool) -> None:
    """Write the rows of a stream to the online store, and say at the end what became of them.

    Args:
        stream: The stream's name.
        source: URL of the Redis that holds it; None for that of the online store.
        online: The online store's URL; None for the setting's.
        drain: End when nothing is left, instead of waiting for more.
        as_json: Print the account as JSON.

    Raises:
        Mistake: No Redis is named, or the definitions do not hold.
        Outage: A store does not answer; nothing that was not written is acknowledged.

    """
    session = open_session()
    target = online_url(online or session.settings.online, session.settings.root)
    source = source or (target if target.startswith("redis") else None)
    if source is None:
        raise Mistake("--redis: missing; the online store is no Redis, so name the one that holds the stream")
    services = describe_all(repository(session))["services"]
    views = {view.name: view for name, found in services.items() for view in rules_of(found, name).views if view.online}
    name = f"{socket.gethostname()}-{os.getpid()}"
    with closing(open_online(target)) as store, closing(redis.Redis.from_url(source.partition("?")[0])) as client:
        consumer = Consumer(client, stream, name, views, store)
        _run(consumer, drain=drain)
    report = {"stream": stream, "views": consumer.account.report(), "refused": consumer.account.refused}
    if as_json:
        print_json(report)
    else:
        _print(report)


def _run(consumer: Consumer, *, drain: bool) -> None:
    """Take rows until a signal, or until none are left; what is in hand is finished first."""
    ended: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    for each in ENDING:
        signal.signal(each, note)
    consumer.join()
    told = time.monotonic()
    while not ended:
        settled = consumer.take()
        if drain and not settled:
            return
        if time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            sys.stderr.write(f"argosy: {consumer.stream}: {consumer.account.report()}\n")


def _print(report: dict[str, Any]) -> None:
    """Print the account as text."""
    for view, found in report["views"].items():
        outcomes = ", ".join(f"{count} {what}" for what, count in found["outcomes"].items() if count)
        lags = ", ".join(f"{count} {bound} s" for bound, count in found["lag_s"].items())
        print_line(f"{view}: {outcomes}; after their event: {lags}")
    print_line(f"{report['refused']} refused" + (f", kept in {report['stream']}:refused" if report["refused"] else ""))
