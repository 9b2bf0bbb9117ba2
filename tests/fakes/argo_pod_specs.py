"""Small pipelines whose pods are given something beside their code, one for each construct; see `argo_specs`."""

from typing import Any

from tests.fakes.specs import (
    a_component,
    a_container,
    a_lightweight,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    outer,
)

TEXT = a_parameter()
READ = (
    "def read(file: Input[Dataset]) -> str:\n"
    "    with open(file.path) as data:\n"
    "        return f'{data.read()} {sorted(file.metadata.items())}'\n"
)
WRITE = "def write(text: str, file: Output[Dataset]):\n    with open(file.path, 'w') as out:\n        out.write(text)\n"
READ_COPY = (
    "def read(file: Input[Dataset]) -> str:\n    with open(file.path + '/copy') as data:\n        return data.read()\n"
)
NAME = "def name(text: str) -> str:\n    return text\n"


def an_importer(**fields: Any) -> dict[str, Any]:
    """Return the executor of an importer."""
    return {"importer": {"typeSchema": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}, **fields}}


def an_import(uri: str) -> dict[str, Any]:
    """Return a pipeline that imports what a URI names twice: as a constant, and as a step says."""
    imported = {"inputs": {"uri": TEXT}, "outputs": {"artifact": an_artifact()}}
    given = {"taskOutputParameter": {"producerTask": "name", "outputParameterKey": "Output"}}
    spec = a_spec(
        {
            "importer": a_task("comp-importer", uri=constant(uri)),
            "name": a_task("comp-name", text=outer("uri")),
            "importer-2": a_task("comp-importer-2", uri=given),
            "read": a_task("comp-read", file=artifact_of("importer", "artifact")),
            "read-2": a_task("comp-read", file=artifact_of("importer-2", "artifact")),
        },
        {
            "comp-importer": a_component("exec-importer", **imported),
            "comp-importer-2": a_component("exec-importer-2", **imported),
            "comp-name": a_component("exec-name", inputs={"text": TEXT}, outputs={"Output": TEXT}),
            "comp-read": a_component("exec-read", inputs={"file": an_artifact()}, outputs={"Output": TEXT}),
        },
        parameters={"uri": a_parameter(defaultValue=uri, isOptional=True)},
        executors={
            "exec-importer": an_importer(artifactUri={"constant": uri}, metadata={"rows": 3.0}),
            "exec-importer-2": an_importer(
                artifactUri={"runtimeParameter": "uri"}, metadata={"from": "{{$.inputs.parameters['uri']}}"}
            ),
            "exec-name": a_lightweight(NAME, "name"),
            "exec-read": a_lightweight(READ, "read"),
        },
    )
    return with_outputs(spec, {"said": "read", "said-2": "read-2"})


SHOUT = 'cat "$0"; echo "$1 $LEVEL" > "$2"; mkdir "$3"; cp "$0" "$3/copy"'


def a_program(*, script: str = SHOUT, image: str = "alpine:3", **fields: Any) -> dict[str, Any]:
    """Return a pipeline in which a program of another image reads what a Python component wrote, and is read."""
    names = ("inputs.artifacts['file'].path", "inputs.parameters['text']", "outputs.parameters['Output'].output_file")
    args = [f"{{{{$.{name}}}}}" for name in (*names, "outputs.artifacts['copy'].path")]
    spec = a_spec(
        {
            "write": a_task("comp-write", text=outer("text")),
            "shout": a_task("comp-shout", text=outer("text"), file=artifact_of("write", "file")),
            "read": a_task("comp-read", file=artifact_of("shout", "copy")),
        },
        {
            "comp-write": a_component("exec-write", inputs={"text": TEXT}, outputs={"file": an_artifact()}),
            "comp-shout": a_component(
                "exec-shout",
                inputs={"text": TEXT, "file": an_artifact()},
                outputs={"Output": TEXT, "copy": an_artifact()},
            ),
            "comp-read": a_component("exec-read", inputs={"file": an_artifact()}, outputs={"Output": TEXT}),
        },
        parameters={"text": a_parameter(defaultValue='it\'s "said"', isOptional=True)},
        executors={
            "exec-write": a_lightweight(WRITE, "write"),
            "exec-read": a_lightweight(READ_COPY, "read"),
            "exec-shout": a_container(
                image=image,
                command=["sh", "-ec", script],
                args=args,
                env=[{"name": "LEVEL", "value": "3"}],
                **fields,
            ),
        },
    )
    return with_outputs(spec, {"said": "shout", "copied": "read"})


def with_outputs(spec: dict[str, Any], outputs: dict[str, str]) -> dict[str, Any]:
    """Return a pipeline whose outputs are those called `Output` of some of its tasks."""
    selected = {
        name: {"valueFromParameter": {"producerSubtask": task, "outputParameterKey": "Output"}}
        for name, task in outputs.items()
    }
    dag = {**spec["root"]["dag"], "outputs": {"parameters": selected}}
    slots = {"parameters": dict.fromkeys(outputs, TEXT)}
    return {**spec, "root": {**spec["root"], "dag": dag, "outputDefinitions": slots}}


POD_CONSTRUCTS: dict[str, dict[str, Any]] = {
    "import": an_import("s3://bucket/folder/table.csv"),
    "program-of-another-image": a_program(resources={"resourceMemoryLimit": "1Gi"}),
}
