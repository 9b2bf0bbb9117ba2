"""Throw-away projects: a folder with settings, plain code and a catalogue."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = '[tool.argosy]\ncatalog = "pipelines.catalog:PIPELINES"\n'
CATALOG = 'PIPELINES = {"small": "pipelines.small:small"}\n'
SMALL = """\
from components.shells import double
from kfp import dsl


@dsl.pipeline(name="small")
def small(n: int = 3) -> None:
    double(n=double(n=n).output)
"""
SHELLS = '''\
from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def double(n: int) -> int:
    """Double a number."""
    from components.arithmetic import twice

    return twice(n)
'''
FILES = {
    "pyproject.toml": PYPROJECT,
    "pipelines/__init__.py": "",
    "pipelines/catalog.py": CATALOG,
    "pipelines/small.py": SMALL,
    "components/__init__.py": "",
    "components/shells.py": SHELLS,
    "components/arithmetic.py": "def twice(n):\n    return 2 * n\n",
}


@dataclass
class Answer:
    """How a command ended and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        """What it printed as JSON; it has to have ended well."""
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


def write_files(folder, files):
    """Write texts by relative name."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def a_project(folder, files=None):
    """Make a project with a pipeline of two steps; `files` are added or replace its own."""
    write_files(folder, FILES | (files or {}))
    return folder


def argosy_command(*arguments):
    """Return the command line of `argosy` in this environment."""
    return [sys.executable, "-m", "argosy", *map(str, arguments)]


def project_env(folder, **env):
    """Return the environment of a command in a project, without settings of the one around the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARGOSY_", "MLFLOW_", "_KFP"))}
    return kept | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "PYTHONWARNINGS": "ignore"} | env


def argosy(folder, *arguments, **env):
    """Run `argosy` in a project to its end."""
    return subprocess.run(
        argosy_command(*arguments), cwd=folder, env=project_env(folder, **env), capture_output=True, text=True
    )


def start_argosy(folder, *arguments, **env):
    """Start `argosy` in a project, in a session of its own."""
    return subprocess.Popen(
        argosy_command(*arguments),
        cwd=folder,
        env=project_env(folder, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def git_init(folder, ignored=".argosy/\n__pycache__/\n"):
    """Make a folder a git repository that ignores what its projects ignore."""
    write_files(folder, {".gitignore": ignored})
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
