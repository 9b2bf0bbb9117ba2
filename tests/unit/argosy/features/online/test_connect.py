import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.errors import Mistake
from argosy.features.online.connect import open_online
from argosy.features.online.rows import OnlineRow, OnlineView

VIEW = OnlineView("temps", ("k",), ("String",), {"v": "Float32"})
ROW = OnlineRow(("a",), 1, None, {"v": 0.5})


def test_three_slashes_start_at_the_working_folder_and_four_at_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = open_online("sqlite:///some%20where/online.db")
    here.write(VIEW, [ROW])
    there = open_online(f"sqlite:///{tmp_path}/some where/online.db")

    assert (tmp_path / "some where" / "online.db").exists()
    assert there.read([(VIEW, ("a",))]) == [ROW]
    here.close()
    there.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite://host/online.db", "redis:///0", "postgres://host/db", "online.db", ""],
)
def test_what_is_no_url_of_a_store_is_refused_with_what_is(url):
    with pytest.raises(Mistake, match=r"is no URL of one; allowed are sqlite:///folder/online\.db .*redis://"):
        open_online(url)


def test_a_setting_in_the_url_that_means_nothing_is_refused():
    with pytest.raises(Mistake, match=r"\['ttl'\] in its URL mean nothing"):
        open_online("sqlite:///online.db?ttl=3&project=p")


def test_a_refusal_tells_no_password():
    with pytest.raises(Mistake) as told:
        open_online("https://me:secret@host/0")

    assert "secret" not in str(told.value)


def test_to_open_a_file_imports_nothing_that_takes_time():
    code = (
        "import sys; from argosy.features.online.connect import open_online\n"
        "open_online('sqlite:///:memory:?project=p')\n"
        "print(sorted({'feast', 'numpy', 'pandas', 'pyarrow', 'duckdb', 'redis', 'asyncio'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)

    assert done.stdout.strip() == "[]"
