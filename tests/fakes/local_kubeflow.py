"""Run one compiled file under kfp's own local runner.

Run as `python -m tests.fakes.local_kubeflow FILE FOLDER`: prints the pipeline's outputs as JSON in its last line.
"""

import json
import sys
import warnings


def main(file: str, folder: str) -> None:
    """Run to the end; a failed step ends this process with an exception."""
    warnings.simplefilter("ignore")
    from kfp import components, local

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder, raise_on_error=True)
    task = components.load_component_from_file(file)()
    outputs = {name: value for name, value in task.outputs.items() if isinstance(value, (str, int, float))}
    sys.stdout.write("\n" + json.dumps(outputs) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
