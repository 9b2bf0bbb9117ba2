import os
import subprocess
import sys
import time

import pytest

from argosy.launcher import stamps as module
from argosy.launcher.stamps import RACY_NS, Stamps


@pytest.fixture
def stamps(tmp_path):
    return Stamps(tmp_path / "state" / "stamps.sqlite")


@pytest.fixture
def old_file(tmp_path):
    """Return a file whose last change is longer ago than the racy time."""
    path = tmp_path / "file"
    path.write_text("one")
    time.sleep(2 * RACY_NS / 1e9)
    return path


class Counted:
    """Computes a file's text and counts how often."""

    def __init__(self, path):
        self.path = path
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.path.read_text()


def test_a_fact_of_an_unchanged_file_is_computed_once(stamps, old_file):
    read = Counted(old_file)

    assert [stamps.fact("text", old_file, read) for _ in range(3)] == ["one"] * 3
    assert read.calls == 1


def test_a_fact_is_known_to_the_next_process(tmp_path, stamps, old_file):
    stamps.fact("text", old_file, lambda: "computed before")
    stamps.close()

    assert Stamps(tmp_path / "state" / "stamps.sqlite").fact("text", old_file, lambda: "again") == "computed before"


def test_an_edit_that_keeps_size_and_times_is_noticed(stamps, old_file):
    stat = old_file.stat()
    stamps.fact("text", old_file, Counted(old_file))

    old_file.write_text("two")
    os.utime(old_file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert stamps.fact("text", old_file, Counted(old_file)) == "two"


def test_another_file_moved_into_place_is_noticed(tmp_path, stamps, old_file):
    stat = old_file.stat()
    stamps.fact("text", old_file, Counted(old_file))

    (tmp_path / "other").write_text("two")
    os.utime(tmp_path / "other", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "other").replace(old_file)

    assert stamps.fact("text", old_file, Counted(old_file)) == "two"


def test_what_was_looked_at_right_after_a_change_is_computed_again(tmp_path, stamps):
    path = tmp_path / "fresh"
    path.write_text("one")
    read = Counted(path)

    stamps.fact("text", path, read)
    stamps.fact("text", path, read)

    assert read.calls == 2


def test_a_slow_computation_makes_a_fresh_file_no_older(tmp_path, stamps):
    path = tmp_path / "fresh"
    path.write_text("one")

    def slow():
        time.sleep(2 * RACY_NS / 1e9)
        return "one"

    stamps.fact("text", path, slow)

    assert stamps.fact("text", path, lambda: "again") == "again"


def test_facts_for_two_purposes_are_two(stamps, old_file):
    stamps.fact("text", old_file, lambda: 1)

    assert stamps.fact("length", old_file, lambda: 2) == 2
    assert stamps.fact("text", old_file, lambda: 3) == 1


def test_a_forgotten_fact_is_computed_again(stamps, old_file):
    stamps.fact("text", old_file, lambda: 1)
    stamps.forget("text", old_file)

    assert stamps.fact("text", old_file, lambda: 2) == 2


def test_a_table_that_is_no_database_is_made_anew(tmp_path, old_file):
    (tmp_path / "stamps.sqlite").write_bytes(b"garbage" * 1000)

    assert Stamps(tmp_path / "stamps.sqlite").fact("text", old_file, lambda: 1) == 1


def test_the_racy_time_is_longer_than_a_tick_of_any_file_system_clock():
    assert module.RACY_NS >= 10_000_000


def test_a_disk_without_room_costs_the_stamp_and_nothing_else(stamps, old_file):
    stamps._db.execute("pragma max_page_count = 1")
    facts = [stamps.fact("text " + "x" * 10_000, old_file, lambda number=number: number) for number in range(2)]

    assert facts == [0, 1]


def test_many_processes_may_open_a_fresh_table_at_once(tmp_path):
    code = "import sys; from pathlib import Path; from argosy.launcher.stamps import Stamps; Stamps(Path(sys.argv[1]))"
    for number in range(6):
        command = [sys.executable, "-c", code, str(tmp_path / str(number) / "stamps.sqlite")]
        opening = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(8)]
        assert [(process.communicate()[1], process.returncode) for process in opening] == [("", 0)] * 8
