import hashlib
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.fakes.engines import ENGINES
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
def ran(specs, tmp_path_factory):
    """Give a function that runs a case on an engine, once a session."""
    found = {}

    def run(engine, name):
        if (engine, name) not in found:
            found[engine, name] = run_once(engine, name)
        return found[engine, name]

    def run_once(engine, name):
        case, folder = CASES[name], tmp_path_factory.mktemp("shape")
        left = folder / "left"
        left.mkdir()
        arguments = {**case.arguments, **({} if case.left is None else {"folder": str(left)})}
        ended = ENGINES[engine](specs / f"{case.pipeline}.yaml", arguments, folder)
        return ended, {file.name: file.read_text(encoding="utf-8") for file in left.iterdir()}

    return run
