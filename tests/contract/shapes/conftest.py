import hashlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from tests.fakes.argo_cluster import lacking, leave_place, shared_folder
from tests.fakes.engines import ENGINES, stop_local_runner
from tests.fakes.projects import ROOT
from tests.fakes.shapes.cases import CASES

SHAPES = ROOT / "tests/fakes/shapes"
AT_ONCE = 6
"""Workflows that a cluster is asked to run at once."""


@pytest.fixture(scope="session")
def specs(request):
    """Give the folder of the compiled shapes; a later session finds it in pytest's cache."""
    sources = hashlib.sha256(metadata.version("kfp").encode())
    for file in sorted(SHAPES.glob("*.py")):
        sources.update(file.read_bytes())
    folder = request.config.cache.mkdir("shapes") / sources.hexdigest()[:16]
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            made = Path(place) / "specs"
            made.mkdir()
            subprocess.run([sys.executable, "-m", "tests.fakes.shapes.compile", made], cwd=ROOT, check=True)
            try:
                made.rename(folder)
            except OSError:
                # Another worker was first.
                assert folder.exists()
    return folder


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Give a function that returns the folder in which a case runs on an engine."""
    return cache(lambda *_: tmp_path_factory.mktemp("shape"))


@pytest.fixture(scope="session")
def run(specs):
    """Give a function that runs a case on an engine in a folder; it returns the end and what the steps left."""

    def run_in(folder, engine, name):
        case = CASES[name]
        with place_to_leave(engine, folder) as left:
            arguments = {**case.arguments, **({} if case.left is None else {"folder": str(left)})}
            ended = ENGINES[engine](specs / f"{case.pipeline}.yaml", arguments, folder)
            return ended, {file.name: file.read_text(encoding="utf-8") for file in left.iterdir()}

    yield run_in
    stop_local_runner()


@contextmanager
def place_to_leave(engine, folder):
    """Give an empty folder for what the steps of a run leave; here, one of the same name in every run in a folder."""
    if engine == "argo" and shared_folder():
        with tempfile.TemporaryDirectory(prefix="left-", dir=shared_folder()) as left:
            Path(left).chmod(0o777)  # a pod's user is somebody else
            yield Path(left)
    else:
        left = folder / "left"
        shutil.rmtree(left, ignore_errors=True)
        left.mkdir()
        yield left


@pytest.fixture(scope="session")
def ran(request, run, place):
    """Give a function that runs a case on an engine, once a session; on Argo, all at the first call, some at a time."""
    run_once = cache(lambda engine, name: run(place(engine, name), engine, name))
    runs = {}

    def begin(name):
        # In this thread, because pytest's own folders are for one.
        return pool.submit(run, place("argo", name), "argo", name)

    def ran_on(engine, name):
        if engine != "argo":
            return run_once(engine, name)
        if not runs:
            runs.update({each: begin(each) for each in wanted_of_argo(request.session.items)})
        return runs[name].result()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield ran_on
        pool.shutdown(cancel_futures=True)
    leave_place()


def wanted_of_argo(items):
    """Return the cases that the tests of this session will ask Argo for, in their order."""
    given = [getattr(item, "callspec", None) for item in items]
    asked = [each.params for each in given if each and each.params.get("engine", "argo") == "argo"]
    names = [each["name"] for each in asked if each.get("name") in CASES]
    return [name for name in dict.fromkeys(names) if not lacking("argo", CASES[name])]
