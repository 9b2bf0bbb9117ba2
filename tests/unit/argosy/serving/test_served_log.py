import subprocess
import sys
import time

from argosy.features.replay.served import read_served
from argosy.serving.served_log import ServedLog

KILLED = """
import os, sys, time
from pathlib import Path
from argosy.serving.served_log import ServedLog
log = ServedLog(Path(sys.argv[1]))
log.start()
for number in range(3):
    log.put({"at_us": number})
time.sleep(1)
log.put({"at_us": 3})
os.kill(os.getpid(), 9)
"""


def a_record(number):
    return {"at_us": number, "entity": {"tailnum": "N1"}, "features": {"temp": 0.1}, "raw": b"key"}


def test_what_is_put_is_read_back_in_its_order(tmp_path):
    log = ServedLog(tmp_path)
    log.start()
    for number in range(100):
        log.put(a_record(number))
    log.stop()

    records = list(read_served(tmp_path))
    assert [record["at_us"] for record in records] == list(range(100))
    assert records[0] == {"at_us": 0, "entity": {"tailnum": "N1"}, "features": {"temp": 0.1}, "raw": "a2V5"}
    assert (log.written, log.dropped) == (100, 0)


def test_a_full_queue_counts_what_it_drops_and_waits_for_nobody(tmp_path):
    log = ServedLog(tmp_path, queue=10)
    for number in range(15):
        log.put(a_record(number))
    log.start()
    log.stop()

    assert (log.written, log.dropped) == (10, 5)


def test_a_large_segment_is_left_for_the_next(tmp_path):
    log = ServedLog(tmp_path, segment_bytes=1, flush_s=0.01)
    log.start()
    for number in range(3):
        log.put(a_record(number))
        until = time.monotonic() + 10
        while log.written <= number and time.monotonic() < until:
            time.sleep(0.005)
    log.stop()

    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    assert [record["at_us"] for record in read_served(tmp_path)] == [0, 1, 2]


def test_a_disk_that_takes_nothing_is_counted_and_survived(tmp_path):
    (tmp_path / "file").write_text("in the way")
    log = ServedLog(tmp_path / "file")
    log.put(a_record(1))
    log.start()
    log.stop()

    assert (log.written, log.dropped) == (0, 1)


def test_a_server_without_requests_by_key_writes_no_folder(tmp_path):
    log = ServedLog(tmp_path / "served")
    log.start()
    log.stop()

    assert not (tmp_path / "served").exists()


def test_a_killed_process_loses_at_most_what_it_served_in_the_last_second(tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)])

    assert ended.returncode == -9
    assert [record["at_us"] for record in read_served(tmp_path)] == [0, 1, 2]
