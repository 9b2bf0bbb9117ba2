import json

import pytest

from argosy.errors import BadInput
from argosy.features.replay.served import copy_served, read_served


def write(folder, name, *lines):
    (folder / f"{name}.jsonl").write_bytes(b"".join(lines))


def line(number):
    return json.dumps({"at_us": number}).encode() + b"\n"


def test_segments_are_read_in_the_order_of_their_names(tmp_path):
    write(tmp_path, "2", line(3))
    write(tmp_path, "1", line(1), line(2))
    (tmp_path / "notes.txt").write_text("not a segment")

    assert [record["at_us"] for record in read_served(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize("cut", range(1, len(line(2)) - 1))
def test_a_last_line_that_was_torn_is_passed_over_wherever_it_was(tmp_path, cut):
    write(tmp_path, "1", line(1), line(2)[:cut])
    write(tmp_path, "2", line(3))

    assert [record["at_us"] for record in read_served(tmp_path)] == [1, 3]


@pytest.mark.parametrize("broken", [b'{"at_us": 1\n', b"[]\n", b"{}\n"])
def test_a_broken_line_that_is_not_the_last_is_refused_by_its_place(tmp_path, broken):
    write(tmp_path, "1", line(1), broken, line(2))

    with pytest.raises(BadInput, match=r"1\.jsonl:2: no record of a server"):
        list(read_served(tmp_path))


def test_a_folder_without_segments_has_no_records(tmp_path):
    assert list(read_served(tmp_path / "missing")) == []


def test_a_copy_has_the_segments_as_they_are_now_and_nothing_else(tmp_path):
    (tmp_path / "log").mkdir()
    write(tmp_path / "log", "1", line(1), line(2)[:4])
    (tmp_path / "log" / "notes.txt").write_text("not a segment")

    assert copy_served(tmp_path / "log", tmp_path / "copy") == {"segments": 1, "bytes": len(line(1)) + 4}
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["1.jsonl"]
    assert copy_served(tmp_path / "missing", tmp_path / "none") == {"segments": 0, "bytes": 0}
