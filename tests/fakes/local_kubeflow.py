"""Run one compiled file under kfp's own local runner.

Run as `python -m tests.fakes.local_kubeflow FILE FOLDER ARGUMENTS [unconditionally]`: prints the pipeline's outputs as
JSON in its last line. Two things that Kubeflow's back end can do and the local runner cannot are mended: null within
values, and, where a caller knows that all of them hold, conditions on outputs that are not called `Output`.
"""

import json
import sys
import warnings
from pathlib import Path

import yaml


def main(file: str, folder: str, arguments: str, *more: str) -> None:
    """Run to the end; a failed step ends this process with an exception."""
    warnings.simplefilter("ignore")
    from kfp import components, local

    _accept_null()
    if more:
        documents = list(yaml.safe_load_all(Path(file).read_text(encoding="utf-8")))
        file = f"{folder}-without-conditions.yaml"
        Path(file).write_text(yaml.safe_dump_all(_without_conditions(documents)), encoding="utf-8")
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder, raise_on_error=True)
    task = components.load_component_from_file(file)(**json.loads(arguments))
    outputs = {name: value for name, value in task.outputs.items() if isinstance(value, (str, int, float))}
    sys.stdout.write("\n" + json.dumps(outputs) + "\n")


def _without_conditions(value):
    if isinstance(value, dict):
        return {name: _without_conditions(item) for name, item in value.items() if name != "triggerPolicy"}
    return [_without_conditions(item) for item in value] if isinstance(value, list) else value


def _accept_null():
    from google.protobuf.struct_pb2 import ListValue, Struct, Value
    from kfp.compiler import pipeline_spec_builder as builder

    strict = builder.to_protobuf_value

    def lenient(value):
        if value is None:
            return Value(null_value=0)
        if isinstance(value, dict):
            return Value(struct_value=Struct(fields={name: lenient(item) for name, item in value.items()}))
        if isinstance(value, list):
            return Value(list_value=ListValue(values=[lenient(item) for item in value]))
        return strict(value)

    builder.to_protobuf_value = lenient


if __name__ == "__main__":
    main(*sys.argv[1:])
