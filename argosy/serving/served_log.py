"""Write down what was served: a queue that never makes a request wait, and a thread that writes it out.

What a full queue or disk costs is counted as dropped. The thread writes and syncs twice a second, so a crash loses at
most what was served in the last one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.features.replay.served import SUFFIX

if TYPE_CHECKING:
    from io import BufferedWriter
    from pathlib import Path

QUEUE = 50_000
FLUSH_S = 0.5
SEGMENT_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)


class ServedLog:
    """Segments of records in a folder, which is made at the first of them.

    Args:
        folder: Where the segments are.
        queue: How many records may wait to be written.
        segment_bytes: From which size on a segment is left for the next.
        flush_s: How long a record waits at most.

    """

    def __init__(
        self, folder: Path, *, queue: int = QUEUE, segment_bytes: int = SEGMENT_BYTES, flush_s: float = FLUSH_S
    ) -> None:
        self.written = 0
        self.dropped = 0
        self._folder = folder
        self._limit = queue
        self._segment_bytes = segment_bytes
        self._flush_s = flush_s
        self._waiting: deque[dict[str, Any]] = deque()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="served", daemon=True)
        self._file: BufferedWriter | None = None
        self._segments = 0
        self._encode = msgspec.json.Encoder().encode

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def put(self, record: dict[str, Any]) -> None:
        """Have a record written; where too many wait, count it as dropped."""
        if len(self._waiting) < self._limit:
            self._waiting.append(record)
        else:
            self.dropped += 1

    def _write(self) -> None:
        while not self._ended.wait(self._flush_s):
            self._write_out()
        self._write_out()
        self._close()

    def _write_out(self) -> None:
        records = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not records:
            return
        try:
            lines = b"".join(self._encode(record) + b"\n" for record in records)
            file = self._file or self._open()
            file.write(lines)
            file.flush()
            os.fdatasync(file.fileno())
            self.written += len(records)
            if file.tell() >= self._segment_bytes:
                self._close()
        except OSError:
            log.exception("%d records of what was served are lost", len(records))
            self.dropped += len(records)
            self._file = None

    def _open(self) -> BufferedWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        began = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        self._segments += 1
        name = f"{began}-{os.getpid()}-{self._segments:04}{SUFFIX}"
        # Kept open from flush to flush: a segment belongs to one process.
        self._file = (self._folder / name).open("ab")
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
