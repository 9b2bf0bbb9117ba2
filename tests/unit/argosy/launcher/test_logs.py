import pytest

from argosy.launcher.logs import LAST_LINES, LONGEST_LINE, keep_log, last_lines, log_beside, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u2603\ttext\n", "plain \u2603\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(B\x1bMup", "up"),
        ("a\0b\x08c\x7fd\x9be", "abcde"),
        ("line\r\nnext", "line\nnext"),
        ("odd \udcff", "odd \\udcff"),
    ],
)
def test_a_plain_text_holds_nothing_that_a_terminal_acts_on(text, shown):
    assert plain(text) == shown


def test_the_last_lines_are_the_last_ones(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {i}\n" for i in range(100)))

    assert last_lines(log).split("\n") == [f"line {i}" for i in range(100 - LAST_LINES, 100)]


def test_of_a_long_line_the_end_is_shown_and_little_is_read(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(1 << 33)
        file.seek(0, 2)
        file.write(b"x" * 1000 + b"the end")

    assert last_lines(log) == "…" + ("x" * 1000 + "the end")[-LONGEST_LINE:]


def test_of_a_line_that_was_written_over_the_last_state_is_shown(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b" 10 %\r 50 %\r100 %\r\ndone\r")

    assert last_lines(log) == "100 %\ndone"


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"\xff\xfe and text")

    assert last_lines(log) == "\ufffd\ufffd and text"


def test_a_log_that_the_step_removed_is_none(tmp_path, lab):
    log = log_beside(tmp_path / "step[0]")

    assert (keep_log(lab.store, log), last_lines(log)) == ("", "")
    assert log == tmp_path / "step[0].log"


def test_a_log_is_kept_under_its_digest(tmp_path, lab):
    log = tmp_path / "log"
    log.write_bytes(b"\0said\xff")

    digest = keep_log(lab.store, log)

    assert b"".join(lab.store.blob_chunks(digest.removeprefix("sha256:"))) == b"\0said\xff"
