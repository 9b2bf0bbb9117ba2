"""A project of a dozen steps with a loop, branches, a fact and a move, run as Workflows by the small Kubernetes."""

import copy
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.argo_controller import Controller
from tests.fakes.argo_pod import DELETED
from tests.fakes.argo_specs import ITEM, NUMBER, NUMBERS, a_dag, a_loop, when
from tests.fakes.end_state import end_state
from tests.fakes.small_world import CODES, DECLARED, MODEL, SLOTS, SmallWorld, python_spec
from tests.fakes.specs import a_parameter, a_task, an_artifact, artifact_of, constant, outer, output_of

MORE_CODES = {
    "train": CODES["train"].replace("rows: int,", "rows: int, best: int,"),
    "measure": CODES["measure"].replace(
        "import time\n", 'import time\n    from components.world import note\n    note("measure")\n'
    ),
    "observe": CODES["observe"].replace(
        "    digest", '    from components.world import note\n    note("observe")\n    digest'
    ),
    "choose": """
def choose(rows: int) -> list:
    from components.world import note
    note("choose")
    return list(range(1, rows))
""",
    "score": """
def score(data: Input[Dataset], share: int) -> int:
    from components.world import note
    note(f"score-{share}")
    return 10 * share
""",
    "gather": """
def gather(scores: list) -> int:
    from components.world import note
    note("gather")
    return max(scores)
""",
    "judge": """
def judge(best: int) -> bool:
    from components.world import note
    note("judge")
    return best > 10
""",
    "complain": """
def complain(best: int) -> str:
    from components.world import note
    note("complain")
    return f"only {best}"
""",
}
FLAG = a_parameter("BOOLEAN")
MORE_SLOTS = {
    "train": (SLOTS["train"][0] | {"best": NUMBER}, SLOTS["train"][1]),
    "choose": ({"rows": NUMBER}, {"Output": NUMBERS}),
    "score": ({"data": an_artifact(), "share": NUMBER}, {"Output": NUMBER}),
    "gather": ({"scores": NUMBERS}, {"Output": NUMBER}),
    "judge": ({"best": NUMBER}, {"Output": FLAG}),
    "complain": ({"best": NUMBER}, {"Output": a_parameter()}),
}
GOOD = "inputs.parameter_values['good'] == true"
EVENTS = (
    "make", "count", "choose", "score-1", "score-2", "gather", "train", "measure", "judge", "observe", "register",
    "promote",
)  # fmt: skip
"""What the code of each step notes when it begins; of an undisturbed run, each one once."""
TASKS = {
    event: f"shares.rounds({int(event[-1]) - 1}:{event[-1]}).score" if event[-1].isdigit() else event
    for event in EVENTS
}
"""The task of each event, below the root of the workflow."""


def argo_world_spec():
    """Return the spec of the pipeline."""
    tasks = {
        "make": a_task("comp-make", n=constant(3)),
        "count": a_task("comp-count", data=artifact_of("make", "data")),
        "choose": a_task("comp-choose", rows=output_of("count")),
        "shares": a_loop(
            "comp-round", {"inputParameter": "items"}, items=output_of("choose"), data=artifact_of("make", "data")
        ),
        "gather": a_task("comp-gather", scores=output_of("shares", "scored")),
        "train": a_task(
            "comp-train", data=artifact_of("make", "data"), rows=output_of("count"), best=output_of("gather")
        ),
        "measure": a_task("comp-measure", model=MODEL),
        "judge": a_task("comp-judge", best=output_of("gather")),
        "release": when(a_task("comp-release", model=MODEL, good=output_of("judge")), GOOD),
        "refuse": when(a_task("comp-refuse", best=output_of("gather"), good=output_of("judge")), f"!({GOOD})"),
    }
    model = {"componentInputArtifact": "model"}
    ref = constant("small/champion")
    release = {
        "observe": a_task("comp-observe", candidate=model, ref=ref),
        "register": a_task("comp-register", model=model, name=constant("small")),
        "promote": a_task(
            "comp-promote", model=model, champion=artifact_of("observe", "champion"), ref=ref,
            version=output_of("register"),
        ),
    }  # fmt: skip
    spec = python_spec(CODES | MORE_CODES, SLOTS | MORE_SLOTS, tasks, declared=DECLARED)
    spec["components"] |= {
        "comp-round": a_dag(
            {"score": a_task("comp-score", data={"componentInputArtifact": "data"}, share=outer(ITEM))},
            inputs={ITEM: NUMBER, "items": NUMBERS, "data": an_artifact()},
            outputs={"scored": ("score", "Output", NUMBERS)},
        ),
        "comp-release": a_dag(release, inputs={"model": an_artifact("system.Model"), "good": FLAG}),
        "comp-refuse": a_dag(
            {"complain": a_task("comp-complain", best=outer("best"))}, inputs={"best": NUMBER, "good": FLAG}
        ),
    }
    return spec


def edited(spec, step):
    """Return the spec with new code in one step, which gives the same."""
    found = copy.deepcopy(spec)
    words = found["deploymentSpec"]["executors"][f"exec-{step}"]["container"]["command"]
    words[-1] = words[-1].replace("    from components.world", "    mended = True\n    from components.world", 1)
    assert words[-1].count("mended = True") == 1
    return found


class ArgoWorld:
    """The project, its store and its world, and what runs its Workflows."""

    def __init__(self, folder, env_given=None, **given):
        self.small = SmallWorld(folder, argo_world_spec())
        pods = Path(folder).with_name(f"{Path(folder).name}-pods")
        env = {"ARGOSY_STORE": str(self.small.store), "ARGOSY_PROJECT": str(folder), "WORLD": str(self.small.world)}
        env |= {"PYTHONPATH": self.small.env()["PYTHONPATH"], "PYTHONWARNINGS": "ignore", **(env_given or {})}
        self.controller = Controller(pods, image=env, **given)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.controller.close()

    def start(self, name, spec=None):
        """Submit the whole file, under a name of one's own."""
        made = manifest(read_pipeline_of(spec or argo_world_spec(), self.small.folder), Wanted())
        return self.controller.create({**made, "metadata": {**made["metadata"], "name": name}})

    def run(self, name, spec=None):
        """Submit, and wait for the end; return the phase."""
        self.start(name, spec)
        return self.controller.wait(name)["status"]["phase"]

    def retry(self, name):
        """Retry as `argo retry` does, and wait for the end; return the phase."""
        self.controller.retry(name)
        return self.controller.wait(name)["status"]["phase"]

    def logs(self, name):
        """Return what the pods of a workflow printed, and how they ended."""
        return self.controller.held[name].workflow.logs

    def deleted(self, name):
        """Return the tasks of which pods were deleted, as often as they were."""
        ended = self.controller.held[name].workflow.pods
        return sorted(path.removeprefix("main.") for path, code in ended if code == DELETED)

    def end(self):
        """Return what all runs together left in the store and outside."""
        url = self.controller.image["ARGOSY_STORE"]
        return end_state(url, self.small.folder / "look"), self.small.outside()

    def executed(self):
        """Return how often the code of each step began."""
        return {event: self.small.executions(event) for event in EVENTS}

    def break_step(self, event):
        """Let a step fail until it is mended."""
        (self.small.world / f"break-{event}").touch()

    def mend_step(self, event):
        """Let it succeed again."""
        (self.small.world / f"break-{event}").unlink()

    @contextmanager
    def restored(self):
        """Put store and world back at the end of the block as they were at its start."""
        places = [self.small.store, self.small.world]
        for place in places:
            shutil.copytree(place, f"{place}-kept", symlinks=True)
        try:
            yield self
        finally:
            for place in places:
                shutil.rmtree(place)
                Path(f"{place}-kept").rename(place)


def read_pipeline_of(spec, folder):
    """Read a spec, by a file."""
    file = Path(folder) / "spec.json"
    file.write_text(json.dumps(spec), encoding="utf-8")
    return read_pipeline(file)
