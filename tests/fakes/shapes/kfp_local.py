"""Run one PipelineSpec under kfp.local and write what came out as JSON.

Run as `python -m tests.fakes.shapes.kfp_local SPEC ARGUMENTS FOLDER`, ARGUMENTS being a JSON object; the result is
FOLDER/ended.json, since the steps have stdout. Artifacts are written as `{"path": ..., "metadata": ...}`.
"""

import json
import sys
from pathlib import Path

from kfp import components, local
from kfp.dsl import Artifact


def told(value):
    """Return a pipeline's output as JSON can hold it."""
    if isinstance(value, Artifact):
        return {"path": value.path, "metadata": value.metadata}
    return [told(item) for item in value] if isinstance(value, list) else value


def main(spec: str, arguments: str, folder: Path) -> None:
    """Run to the end, whether good or bad."""
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "outputs"),
        workspace_root=str(folder / "workspace"),
    )
    pipeline = components.load_component_from_file(spec)
    try:
        task = pipeline(**json.loads(arguments))
        ended = {
            "status": "succeeded",
            "outputs": {name: told(value) for name, value in task.outputs.items()},
            "why": "",
        }
    except Exception as error:  # kfp.local raises whatever it stumbles over
        ended = {"status": "failed", "outputs": {}, "why": repr(error)}
    (folder / "ended.json").write_text(json.dumps(ended), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
