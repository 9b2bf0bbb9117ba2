import os
import signal
import subprocess
import threading

import pytest

from argosy.errors import Mistake, Outage
from argosy.launcher import beside
from argosy.launcher.beside import KEEPER, execute_beside, release
from argosy.launcher.executor import Request
from tests.fakes.processes import wait_for


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "shared folder"


@pytest.fixture
def other(folder):
    """Start the other container."""
    process = subprocess.Popen(["sh", "-c", KEEPER, str(folder)], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def a_request(tmp_path, *argv, **env):
    (tmp_path / "work").mkdir(exist_ok=True)
    return Request("", "", {}, str(tmp_path), "", argv=argv, env=env)


def executed(request, folder, tmp_path, ended=None):
    run = execute_beside(folder, ended=ended or tmp_path / "ended")
    return run(request, log=tmp_path / "log", lock=0, timeout_s=None)


def test_a_program_gets_its_words_and_variables_as_they_are(folder, other, tmp_path, capfdbinary):
    words = ["two words", "it's", '"', "$HOME `x` $(y) \\", "\n", "", "é", "-n"]
    script = 'pwd; printf "%s|" "$@"; printf "%s" "$A"; echo said >&2'
    request = a_request(tmp_path, "sh", "-c", script, "name", *words, A="a'b\nc", **{"no.name": "x"})

    code = executed(request, folder, tmp_path)

    said = f"{tmp_path}/work\n{'|'.join(words)}|a'b\ncsaid\n".encode()
    assert code == 0
    assert (tmp_path / "log").read_bytes() == said == capfdbinary.readouterr().out
    assert other.wait(5) == 0


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("exec no-such-program", 127)])
def test_a_program_that_fails_gives_its_exit_code_and_its_container_ends_well(folder, other, tmp_path, script, code):
    assert executed(a_request(tmp_path, "sh", "-c", script), folder, tmp_path) == code
    assert other.wait(5) == 0


def test_what_a_program_prints_is_handed_on_while_it_runs(folder, other, tmp_path):
    request = a_request(tmp_path, "sh", "-c", f"echo first; while [ ! -e {tmp_path}/on ]; do sleep 0.1; done")
    running = threading.Thread(target=executed, args=(request, folder, tmp_path))
    running.start()

    wait_for(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text() == "first\n")
    (tmp_path / "on").touch()
    running.join()


def test_a_container_that_has_nothing_to_run_ends_well(folder, other):
    release(folder)

    assert other.wait(5) == 0


def test_a_program_that_runs_is_not_taken_from_its_container(folder, tmp_path):
    folder.mkdir()
    (folder / "go").write_text("true")

    release(folder)

    assert (folder / "go").read_text() == "true"


def test_an_image_without_a_shell_is_a_mistake(folder, tmp_path):
    (tmp_path / "ended").write_text("64")

    with pytest.raises(Mistake, match=r"^train: the container of its image ended without running it; .* hold sh, mkd"):
        executed(a_request(tmp_path, "train"), folder, tmp_path)


def test_a_container_that_is_killed_is_an_outage(folder, other, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "BEATS_WITHIN_S", 3.0)
    wait_for((folder / "beat").exists)
    request = a_request(tmp_path, "sleep", "60")
    said = []

    def run():
        try:
            executed(request, folder, tmp_path)
        except Outage as error:
            said.append(str(error))

    running = threading.Thread(target=run)
    running.start()
    wait_for((folder / "log").exists)
    os.killpg(other.pid, signal.SIGKILL)
    running.join()

    assert said == ["sleep: its container is gone, perhaps for lack of memory"]


def test_a_container_that_never_starts_is_an_outage(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "STARTS_WITHIN_S", 0.3)

    with pytest.raises(Outage, match=r"^train: its container did not start within 0\.3 s; can its image be pulled\?"):
        executed(a_request(tmp_path, "train"), folder, tmp_path)


def test_half_an_exit_code_is_none_yet(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "STARTS_WITHIN_S", 0.3)
    folder.mkdir()
    (folder / "code").write_text("1")

    with pytest.raises(Outage):
        executed(a_request(tmp_path, "train"), folder, tmp_path)
