import hashlib
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from tests.fakes.engines import ENGINES, stop_local_runner
from tests.fakes.projects import ROOT
from tests.fakes.shapes.cases import CASES

SHAPES = ROOT / "tests/fakes/shapes"


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
        case, left = CASES[name], folder / "left"
        shutil.rmtree(left, ignore_errors=True)
        left.mkdir()
        arguments = {**case.arguments, **({} if case.left is None else {"folder": str(left)})}
        ended = ENGINES[engine](specs / f"{case.pipeline}.yaml", arguments, folder)
        return ended, {file.name: file.read_text(encoding="utf-8") for file in left.iterdir()}

    yield run_in
    stop_local_runner()


@pytest.fixture(scope="session")
def ran(run, place):
    """Give a function that runs a case on an engine, once a session."""
    return cache(lambda engine, name: run(place(engine, name), engine, name))
