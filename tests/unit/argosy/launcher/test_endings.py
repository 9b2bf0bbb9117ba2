import errno
import shutil
import sqlite3
from types import SimpleNamespace

import pytest

from argosy.launcher.endings import ending_of, is_full, room_hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "exited with 1"),
        (75, "exited with 75"),
        (126, "exited with 126: a command is there but cannot be run"),
        (127, "exited with 127: a command was not found"),
        (128, "exited with 128"),
        (137, "exited with 137: a command of it was killed (signal 9), perhaps for lack of memory"),
        (139, "exited with 139: a command of it crashed (signal 11, SIGSEGV)"),
        (143, "exited with 143: a command of it was ended by signal 15 (SIGTERM)"),
        (255, "exited with 255"),
        (-9, "was killed (signal 9), perhaps for lack of memory"),
        (-6, "crashed (signal 6, SIGABRT)"),
        (-25, "was ended by signal 25 (SIGXFSZ)"),
        (-33, "was ended by signal 33"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code, words):
    assert ending_of(code) == words


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EFBIG, "x"), True),
        (RuntimeError("Generic error: No space left on device (os error 28)"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
        (OSError(errno.EACCES, "x"), False),
        (ValueError("x"), False),
    ],
)
def test_an_error_for_lack_of_room_is_known(error, full):
    assert is_full(error) == full


def test_a_disk_with_room_gives_no_hint(tmp_path):
    assert room_hint(tmp_path / "not" / "there") == ""


def test_a_full_disk_is_named_by_what_is_left_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1000))

    hint = room_hint(tmp_path / "not" / "there")

    assert hint.startswith("; its disk is full: free some space")
    assert hint.endswith(f"({tmp_path} has no room)")
