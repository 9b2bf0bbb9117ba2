"""A project with every kind of step, and a world outside of it that its effects change.

The world is a folder named by `$WORLD`, which no key holds: two worlds of equal runs are equal.
"""

import json
import sys
from pathlib import Path

from tests.fakes.projects import ROOT, argosy, project_env, write_files
from tests.fakes.specs import (
    a_component,
    a_lightweight,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    output_of,
)

DYING = [sys.executable, str(ROOT / "tests" / "fakes" / "dying_run.py")]
WORLD = '''\
"""Acts on the world as a registry does: looks by key first, adopts, else creates."""

import json
import os
import time
from pathlib import Path


def note(event):
    """Leave a line with this process's id, and say so if an earlier one of the same event still runs.

    Fails while the world has a file that breaks the event; stays for good where the environment names a file, and
    leaves it as a sign.
    """
    place = Path(os.environ["WORLD"], "log")
    place.mkdir(exist_ok=True)
    for path in place.glob(f"{event}-*"):
        if is_alive(path.name.rsplit("-", 1)[1]):
            Path(os.environ["WORLD"], "overlap").touch()
    (place / f"{event}-{os.getpid()}").touch()
    if Path(os.environ["WORLD"], f"break-{event}").exists():
        raise RuntimeError(f"{event} is broken")
    if "STAY" in os.environ:
        Path(os.environ["STAY"]).touch()
        time.sleep(3600)
    time.sleep(float(os.environ.get("PAUSE", "0.02")))


def is_alive(pid):
    try:
        return ") Z " not in Path("/proc", pid, "stat").read_text()
    except OSError:
        return False


def register(name, digest):
    versions = Path(os.environ["WORLD"], "versions")
    versions.mkdir(exist_ok=True)
    for path in sorted(versions.iterdir()):
        if json.loads(path.read_text()) == [name, digest]:
            return path.name
    staged = Path("version")
    staged.write_text(json.dumps([name, digest]))
    os.link(staged, versions / str(len(list(versions.iterdir())) + 1))
    return str(len(list(versions.iterdir())))


def point_alias(target):
    staged = Path("alias")
    staged.write_text(target)
    staged.replace(Path(os.environ["WORLD"], "alias"))
'''
CODES = {
    "make": """
def make(n: int, data: Output[Dataset]):
    import pathlib
    from components.world import note
    note("make")
    pathlib.Path(data.path).mkdir()
    for i in range(n):
        pathlib.Path(data.path, f"part-{i}").write_text("x" * 1000 * i)
""",
    "count": """
def count(data: Input[Dataset]) -> int:
    import pathlib
    from components.world import note
    note("count")
    return len(list(pathlib.Path(data.path).iterdir()))
""",
    "train": """
def train(data: Input[Dataset], rows: int, model: Output[Model]):
    import pathlib
    from components.world import note
    note("train")
    pathlib.Path(model.path).mkdir()
    pathlib.Path(model.path, "weights").write_text("w" * rows)
""",
    "measure": """
def measure(model: Input[Model]) -> float:
    import time
    return time.time()
""",
    "observe": """
def observe(candidate: Input[Model], ref: str, champion: Output[Model]):
    import json, os, pathlib
    from argosy.release.champion import write_champion
    digest = json.loads(os.environ["ARGOSY_INPUTS"])["candidate"]
    write_champion(ref=ref, candidate=digest, out=pathlib.Path(champion.path))
""",
    "register": """
def register(model: Input[Model], name: str) -> str:
    import json, os
    from components.world import note, register
    note("register")
    return register(name, json.loads(os.environ["ARGOSY_INPUTS"])["model"])
""",
    "promote": """
def promote(
    model: Input[Model], champion: Input[Model], ref: str, version: str
) -> NamedTuple("Promoted", verdict=dict):
    import json, os
    from components.world import note, point_alias
    note("promote")
    point_alias(json.loads(os.environ["ARGOSY_REF"])["target"])
    return ({"verdict": "promoted", "ok": True, "reasons": []},)
""",
}
SLOTS = {
    "make": ({"n": a_parameter("NUMBER_INTEGER")}, {"data": an_artifact()}),
    "count": ({"data": an_artifact()}, {"Output": a_parameter("NUMBER_INTEGER")}),
    "train": (
        {"data": an_artifact(), "rows": a_parameter("NUMBER_INTEGER")},
        {"model": an_artifact("system.Model")},
    ),
    "measure": ({"model": an_artifact("system.Model")}, {"Output": a_parameter("NUMBER_DOUBLE")}),
    "observe": (
        {"candidate": an_artifact("system.Model"), "ref": a_parameter()},
        {"champion": an_artifact("system.Model")},
    ),
    "register": ({"model": an_artifact("system.Model"), "name": a_parameter()}, {"Output": a_parameter()}),
    "promote": (
        {
            "model": an_artifact("system.Model"),
            "champion": an_artifact("system.Model"),
            "ref": a_parameter(),
            "version": a_parameter(),
        },
        {"verdict": a_parameter("STRUCT")},
    ),
}
DECLARED = {
    "measure": {"ARGOSY_MEASUREMENTS": '["Output"]'},
    "observe": {"ARGOSY_KIND": "observe"},
    "register": {"ARGOSY_KIND": "fact", "ARGOSY_KEY": '["name", "model"]', "ARGOSY_MEASUREMENTS": '["Output"]'},
    "promote": {"ARGOSY_KIND": "move", "ARGOSY_KEY": '["ref", "model", "champion"]'},
}
MODEL, REF = artifact_of("train", "model"), constant("small/champion")
CHAMPION, VERSION = artifact_of("observe", "champion"), output_of("register")


def world_spec(rows=3):
    """Return the spec of a pipeline that makes, trains, registers and promotes."""
    tasks = {
        "make": a_task("comp-make", n=constant(rows)),
        "count": a_task("comp-count", data=artifact_of("make", "data")),
        "train": a_task("comp-train", data=artifact_of("make", "data"), rows=output_of("count")),
        "measure": a_task("comp-measure", model=MODEL),
        "observe": a_task("comp-observe", candidate=MODEL, ref=REF),
        "register": a_task("comp-register", model=MODEL, name=constant("small")),
        "promote": a_task("comp-promote", model=MODEL, champion=CHAMPION, ref=REF, version=VERSION),
    }  # fmt: skip
    waits = {
        "count": ["make"], "train": ["make", "count"], "measure": ["train"], "observe": ["train"],
        "register": ["train"], "promote": ["train", "observe", "register"],
    }  # fmt: skip
    return python_spec(CODES, SLOTS, tasks, waits=waits, declared=DECLARED)


def python_spec(codes, slots, tasks, *, waits=None, declared=None):
    """Return a spec of Python components, each with a task of its name."""
    components = {
        f"comp-{name}": a_component(f"exec-{name}", inputs=slots[name][0], outputs=slots[name][1]) for name in codes
    }
    executors = {
        f"exec-{name}": a_lightweight(
            code, name, env=[{"name": key, "value": value} for key, value in (declared or {}).get(name, {}).items()]
        )
        for name, code in codes.items()
    }
    ordered = {
        name: task | ({"dependentTasks": waits[name]} if name in (waits or {}) else {}) for name, task in tasks.items()
    }
    return a_spec(ordered, components, executors=executors)


class SmallWorld:
    """A project, its store and its world."""

    def __init__(self, folder, spec=None):
        self.folder = Path(folder)
        self.store = self.folder / ".argosy" / "store"
        self.world = self.folder.with_name(f"{self.folder.name}-world")
        self.world.mkdir(parents=True)
        write_files(
            self.folder,
            {
                "pyproject.toml": "[tool.argosy]\n",
                "components/__init__.py": "",
                "components/world.py": WORLD,
                "spec.json": json.dumps(spec or world_spec()),
            },
        )

    def env(self, **more):
        """Return the environment of this project's commands."""
        return project_env(self.folder, WORLD=str(self.world), **more)

    def argosy(self, *arguments, **env):
        """Run a command to its end."""
        return argosy(self.folder, *arguments, WORLD=str(self.world), **env)

    def run(self, *arguments, **env):
        """Run the pipeline to its end; return the exit code and the result document."""
        answer = self.argosy("run", "spec.json", "--output", "json", *arguments, **env)
        return answer.returncode, json.loads(answer.stdout or "null")

    def outside(self):
        """Return what the effects left in the world."""
        versions = self.world / "versions"
        alias = self.world / "alias"
        return {
            "versions": {path.name: path.read_text() for path in versions.iterdir()} if versions.exists() else {},
            "alias": alias.read_text() if alias.exists() else None,
            "overlap": (self.world / "overlap").exists(),
        }

    def executions(self, event):
        """Return how often the code of a step began."""
        return len(list((self.world / "log").glob(f"{event}-*")))
