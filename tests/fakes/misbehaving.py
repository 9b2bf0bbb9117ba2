"""Pipelines of steps that misbehave, as files that `argosy run` takes, and what they leave behind."""

import json
import subprocess
import textwrap
from pathlib import Path

import yaml

from tests.fakes.projects import argosy_command
from tests.fakes.small_world import SmallWorld
from tests.fakes.specs import a_component, a_container, a_lightweight, a_parameter, a_spec, a_task, an_artifact

NUMBER = {"Output": a_parameter("NUMBER_INTEGER")}
DATA = {"data": an_artifact()}
FILE = "pipeline.yaml"


class Pipeline:
    """A pipeline that grows by a step at a time; steps do not depend on one another unless they are told to."""

    def __init__(self):
        self.tasks, self.components, self.executors, self.deadlines = {}, {}, {}, {}

    def python(self, name, body, *, takes="", **more):
        """Add a Python component of a body's lines; without a `return` in them it gives a dataset, `data`."""
        gives = "return" in body
        outputs = NUMBER if gives else DATA
        words = [takes] if takes else []
        words += [] if gives else ["data: Output[Dataset]"]
        head = f"def step({', '.join(words)})" + (" -> int" if gives else "")
        code = f"{head}:\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        return self._add(name, a_lightweight(code, "step"), outputs, **more)

    def program(self, name, script, *, words=(), **more):
        """Add a container component that runs a shell script."""
        return self._add(name, a_container(image="alpine", command=["sh", "-c", script, *words]), None, **more)

    def _add(self, name, executor, outputs, *, inputs=None, over=None, deadline_s=None, **task):
        slots = (
            {key: an_artifact() if "Artifact" in str(given) else a_parameter() for key, given in inputs.items()}
            if inputs
            else {}
        )
        iterator = {}
        if over is not None:
            slots["item"] = a_parameter("NUMBER_INTEGER")
            iterator = {"parameterIterator": {"itemInput": "item", "items": {"raw": json.dumps(over)}}}
        self.components[f"comp-{name}"] = a_component(f"exec-{name}", inputs=slots, outputs=outputs)
        self.executors[f"exec-{name}"] = executor
        self.tasks[name] = a_task(f"comp-{name}", **(inputs or {})) | iterator | task
        if deadline_s:
            self.deadlines[f"exec-{name}"] = {"activeDeadlineSeconds": deadline_s}
        return self

    def text(self):
        """Return the file: the pipeline, and what Kubernetes is asked for where there are deadlines."""
        documents = [a_spec(self.tasks, self.components, executors=self.executors)]
        if self.deadlines:
            documents.append({"platforms": {"kubernetes": {"deploymentSpec": {"executors": self.deadlines}}}})
        return yaml.safe_dump_all(documents, sort_keys=False)


class Misbehaving(SmallWorld):
    """A project in which a misbehaving pipeline is run by its file."""

    def __init__(self, folder, pipeline):
        super().__init__(folder)
        self.write(pipeline)

    def write(self, pipeline):
        """Put another pipeline in the file's place."""
        (self.folder / FILE).write_text(pipeline.text(), encoding="utf-8")

    def start(self, *arguments, **env):
        """Start a run in a session of its own; its output is bytes."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = argosy_command("run", FILE, *arguments)
        return subprocess.Popen(command, cwd=self.folder, env=self.env(**env), start_new_session=True, **pipes)

    def result(self, *arguments, **env):
        """Run the file to its end; return the exit code and the result document."""
        with self.start("--output", "json", *arguments, **env) as run:
            said, progress = run.communicate(timeout=120)
        assert b"Traceback" not in progress, progress.decode(errors="replace")
        assert said, progress.decode(errors="replace")
        return run.returncode, json.loads(said)

    def log(self, step, **env):
        """Return what `argosy logs` prints of a step of the latest run, as bytes."""
        command = argosy_command("logs", "@latest", step)
        return subprocess.run(command, cwd=self.folder, env=self.env(**env), capture_output=True, check=True).stdout

    def problems(self, **env):
        """Return what `argosy verify` finds."""
        answer = self.argosy("verify", "--output", "json", **env)
        return json.loads(answer.stdout)["problems"]

    def left_running(self):
        """Return the processes whose environment names this world."""
        return [
            pid
            for pid in map(int, filter(str.isdecimal, (each.name for each in Path("/proc").iterdir())))
            if self._is_ours(pid)
        ]

    def scratch(self):
        """Return what is left of scratch folders."""
        return sorted((self.folder / ".argosy" / "scratch").rglob("*"))

    def _is_ours(self, pid):
        try:
            return str(self.world).encode() in Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
