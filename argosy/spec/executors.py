"""Read the containers of a spec, and the Python that kfp embedded in their argv."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.declaration import PREFIX, read_declaration
from argosy.spec.model import Declaration, Executor, Importer, JsonValue
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from argosy.spec.fields import Fields

RESOURCES: Final = (
    "cpuLimit", "memoryLimit", "cpuRequest", "memoryRequest",
    "resourceCpuLimit", "resourceMemoryLimit", "resourceCpuRequest", "resourceMemoryRequest",
)  # fmt: skip
ACCELERATOR: Final = ("type", "count", "resourceType", "resourceCount")
PIP_INSTALL: Final = re.compile(r"python3 -m pip install (.*?)(?: && |\n|$)")
PIP_OPTIONS_WITH_VALUE: Final = ("--index-url", "--extra-index-url", "--trusted-host")


@dataclass(frozen=True, slots=True)
class ReadExecutor:
    """A container, what it declares, and the resources that a cluster gives it."""

    place: str
    executor: Executor | Importer
    declaration: Declaration
    resources: dict[str, JsonValue]


def read_executor(fields: Fields) -> ReadExecutor:
    """Read one entry of `deploymentSpec.executors`."""
    if "importer" in fields:
        return ReadExecutor(fields.place, _read_importer(fields.object("importer")), Declaration(), {})
    for kind in ("resolver", "customJob"):
        if kind in fields:
            refuse(fields.at(kind), "custom executor", kind)
    if "container" not in fields:
        raise Mistake(f"{fields.place}: an executor without a container; `container` is needed here")
    return _read_container(fields.object("container"))


def _read_container(fields: Fields) -> ReadExecutor:
    image = fields.text("image")
    if "lifecycle" in fields:
        refuse(fields.at("lifecycle"), "container hook")
    command, args = fields.texts("command"), fields.texts("args")
    env = _read_env(fields)
    source, function = _embedded(command, args)
    executor = Executor(
        image=image,
        command=command,
        args=args,
        env={name: value for name, value in env.items() if not name.startswith(PREFIX)},
        source=source,
        function=function,
        packages=_packages(command) if source is not None else (),
    )
    declaration = read_declaration(env, fields.at("env"))
    return ReadExecutor(fields.place, executor, declaration, _read_resources(fields))


def _read_importer(fields: Fields) -> Importer:
    uri = fields.object("artifactUri")
    schema = fields.object("typeSchema")
    schema.text("schemaTitle", default="")
    schema.text("schemaVersion", default="")
    constant, given_by = uri.json("constant"), uri.text("runtimeParameter", default="") or None
    if given_by is None and not isinstance(constant, str):
        raise Mistake(f"{uri.place}: no URI; allowed: constant (a text), runtimeParameter (the name of an input)")
    metadata = fields.json("metadata")
    return Importer(
        uri=constant if isinstance(constant, str) else "",
        uri_input=given_by,
        metadata=metadata if isinstance(metadata, dict) else {},
        reimport=fields.flag("reimport"),
        download_to_workspace=fields.flag("downloadToWorkspace"),
    )


def _read_env(fields: Fields) -> dict[str, str]:
    env: dict[str, str] = {}
    for entry in fields.objects("env"):
        name = entry.text("name")
        if name in env:
            raise Mistake(f"{entry.place}.name: {name!r} a second time; a variable is set once")
        env[name] = entry.text("value", default="")
    return env


def _read_resources(fields: Fields) -> dict[str, JsonValue]:
    if "resources" not in fields:
        return {}
    resources = fields.object("resources")
    found: dict[str, JsonValue] = {key: resources.json(key) for key in RESOURCES if key in resources}  # type: ignore[misc]
    if "accelerator" in resources:
        accelerator = resources.object("accelerator")
        found["accelerator"] = {key: accelerator.json(key) for key in ACCELERATOR if key in accelerator}  # type: ignore[misc]
    return found


def _embedded(command: tuple[str, ...], args: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return source (the element after kfp's program) and function, if there are any."""
    is_lightweight = (
        len(command) >= 2
        and "executor_main" in command[-2]
        and "ephemeral_component.py" in command[-2]
        and "--function_to_execute" in args[:-1]
    )
    if not is_lightweight:
        return None, None
    return command[-1], args[args.index("--function_to_execute") + 1]


def _packages(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements that kfp's install script names, but for kfp's own."""
    return _packages_in(command[2]) if command[:2] == ("sh", "-c") else ()


@lru_cache(maxsize=256)
def _packages_in(script: str) -> tuple[str, ...]:
    found: list[str] = []
    for match in PIP_INSTALL.finditer(script):
        words = shlex.split(match[1])
        if not (words and "--no-deps" in words):
            found += _requirements(words)
    return tuple(found)


def _requirements(words: list[str]) -> list[str]:
    previous = ["", *words]
    return [
        word
        for before, word in zip(previous, words, strict=False)
        if not word.startswith("-") and before not in PIP_OPTIONS_WITH_VALUE
    ]
