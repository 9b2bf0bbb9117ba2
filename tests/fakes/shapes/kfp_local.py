"""Run PipelineSpecs under kfp.local, each in a fork of one process that has imported kfp.

`python -m tests.fakes.shapes.kfp_local` reads one request a line from stdin, a JSON object with the fields of `run`,
and answers each with a line that holds the exit code. What came out is `ended.json` in the request's folder, what was
printed is `log`. Artifacts are written as `{"path": ..., "metadata": ...}`.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from kfp import components, local
from kfp.dsl import Artifact


def told(value):
    """Return a pipeline's output as JSON can hold it."""
    if isinstance(value, Artifact):
        return {"path": value.path, "metadata": value.metadata}
    return [told(item) for item in value] if isinstance(value, list) else value


def run(spec, arguments, folder, env):
    """Run one spec to its end, whether good or bad, with nothing but `env` in the environment."""
    os.environ.clear()
    os.environ.update(env)
    folder = Path(folder)
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "outputs"),
        workspace_root=str(folder / "workspace"),
    )
    pipeline = components.load_component_from_file(spec)
    try:
        task = pipeline(**arguments)
        ended = {
            "status": "succeeded",
            "outputs": {name: told(value) for name, value in task.outputs.items()},
            "why": "",
        }
    except Exception as error:  # kfp.local raises whatever it stumbles over
        ended = {"status": "failed", "outputs": {}, "why": repr(error)}
    (folder / "ended.json").write_text(json.dumps(ended), encoding="utf-8")


def run_in_fork(request):
    """Run a request in a child and return its exit code; what it prints goes to the log."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        for number, file in ((0, os.devnull), (1, Path(request["folder"], "log")), (2, None)):
            os.dup2(1 if file is None else os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        run(**request)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{run_in_fork(json.loads(line))}\n")
        sys.stdout.flush()
