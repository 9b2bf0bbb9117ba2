"""Compile a pipeline with kfp, in a child process: kfp takes seconds to import.

    python -m argosy.kubeflow.compile pipelines.catalog:PIPELINES[flights-training] OUT.json

The reference names a pipeline, or an entry of a mapping whose values are pipelines or references. The output
is one canonical JSON object with `pipeline_spec` and `platform_spec`. A mistake ends with one line on stderr
and exit code 2.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean

REFERENCE: Final = re.compile(r"(?P<module>[\w.]+)(?::(?P<attribute>\w+)(?:\[(?P<key>[^\]]+)\])?)?")
FORM: Final = "MODULE:ATTRIBUTE or MODULE:ATTRIBUTE[KEY]"


def compile_pipeline(pipeline_func: Any) -> dict[str, Any]:
    """Return the `pipeline_spec` and `platform_spec` of a `@dsl.pipeline` function."""
    from google.protobuf import json_format  # type: ignore[import-untyped]  # ships no types

    if not _is_pipeline(pipeline_func):
        raise Mistake(f"got {pipeline_func!r}; a function decorated with @dsl.pipeline is needed")
    return {
        "pipeline_spec": json_format.MessageToDict(pipeline_func.pipeline_spec),
        "platform_spec": json_format.MessageToDict(pipeline_func.platform_spec),
    }


def load_pipeline(reference: str) -> Any:
    """Import what a reference names.

    Raises:
        Mistake: The reference has another form, or leads to nothing or to what is no pipeline.

    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise Mistake(f"{reference}: {FORM} is needed")
    module = _import(match["module"], reference)
    if match["attribute"] is None:
        return _only_pipeline(module, reference)
    found = getattr(module, match["attribute"], None)
    if found is None:
        hint = did_you_mean(match["attribute"], list(vars(module)))
        raise Mistake(f"{reference}: {module.__name__} has no {match['attribute']!r}{hint}")
    if match["key"] is not None:
        found = _entry(found, match["key"], reference)
    return load_pipeline(found) if isinstance(found, str) else found


def refuse_wrong_conditions() -> None:
    """Make kfp refuse, from now on, conditions that it compiles to something else.

    kfp writes `flag == 1` as `flag == false`, and puts quotes around a bool or number that is compared with
    a text. No reader of the spec can tell the first from what was meant.
    """
    from kfp.compiler import pipeline_spec_builder as builder

    write = builder._single_binary_operation_to_cel_condition

    def write_checked(operation: Any) -> Any:
        families = [_family(side) for side in (operation.left_operand, operation.right_operand)]
        for one, other in (families, reversed(families)):
            if one == "a bool" and other != "a bool":
                raise Mistake(f"a condition compares {one} with {other}; compare a bool with True or False")
            if one == "a number" and other == "a text":
                raise Mistake(f"a condition compares {one} with {other}; compare values of one type")
        return write(operation)

    builder._single_binary_operation_to_cel_condition = write_checked


def main(arguments: list[str]) -> int:
    """Compile the pipeline named first into the file named second."""
    if len(arguments) != 2:
        print(f"usage: python -m argosy.kubeflow.compile {FORM} OUT.json", file=sys.stderr)  # noqa: T201
        return Mistake.exit_code
    reference, out = arguments
    try:
        refuse_wrong_conditions()
        compiled = compile_pipeline(load_pipeline(reference))
        text = json.dumps(compiled, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        Path(out).write_text(text + "\n", encoding="utf-8")
    except Exception as error:  # the code of a pipeline may raise anything
        print(_one_line(error, reference), file=sys.stderr)  # noqa: T201
        return Mistake.exit_code
    return 0


def _import(name: str, reference: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise Mistake(f"{reference}: there is no module {error.name!r}") from error
        raise


def _entry(mapping: Any, key: str, reference: str) -> Any:
    if key not in mapping:
        raise Mistake(
            f"{reference}: no pipeline {key!r}{did_you_mean(key, list(mapping))}; known: {', '.join(mapping)}"
        )
    return mapping[key]


def _only_pipeline(module: Any, reference: str) -> Any:
    found = {
        name: value
        for name, value in vars(module).items()
        if _is_pipeline(value) and value.pipeline_func.__module__ == module.__name__
    }
    if len(found) != 1:
        names = ", ".join(sorted(found)) or "none"
        raise Mistake(f"{reference}: one pipeline is needed in this module, or {FORM}; pipelines here: {names}")
    return next(iter(found.values()))


def _is_pipeline(value: Any) -> bool:
    from kfp.dsl.graph_component import GraphComponent

    return isinstance(value, GraphComponent)


def _family(operand: Any) -> str:
    from kfp.dsl.pipeline_channel import PipelineChannel
    from kfp.dsl.types import type_utils

    kind = operand.channel_type if isinstance(operand, PipelineChannel) else type(operand).__name__
    names = {"BOOLEAN": "a bool", "STRING": "a text", "NUMBER_INTEGER": "a number", "NUMBER_DOUBLE": "a number"}
    return names.get(type_utils.get_parameter_type_name(kind), f"a {kind}")


def _one_line(error: Exception, reference: str) -> str:
    """Return the message with the last line of the team's own code that led to it."""
    message = " ".join(str(error).split()) or "no message"
    if not isinstance(error, Mistake):
        message = f"{type(error).__name__}: {message}"
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {message}"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
    place = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    return f"{place}{message}" if place or message.startswith(reference) else f"{reference}: {message}"


def _is_own(filename: str) -> bool:
    path = Path(filename)
    outside = "site-packages" in path.parts or filename.startswith((sysconfig.get_path("stdlib"), "<"))
    return not outside and Path(__file__).parents[1] not in path.parents


def _leave_out_api_client() -> None:
    """Stand in for kfp's API client, which `import kfp` imports: over half of the time, and compiling calls no API."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise Mistake("kfp.Client() in a module of a pipeline: compiling calls no API; call it below `__main__`")

    client: Any = ModuleType("kfp.client")
    client.Client = type("Client", (), {"__init__": refuse})
    sys.modules["kfp.client"] = client


if __name__ == "__main__":
    _leave_out_api_client()
    sys.exit(main(sys.argv[1:]))
