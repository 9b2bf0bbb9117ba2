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
    spec = a_spec(
        {
            "importer": a_task("comp-importer", uri=constant(uri)),
            "name": a_task("comp-name", text=outer("uri")),
            "importer-2": a_task("comp-importer-2", uri=given_by("name")),
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


TAKE = "def take(path: str) -> str:\n    with open(path) as note:\n        return note.read()\n"
LEAVE = (
    "def leave(text: str, place: str) -> str:\n    with open(place + '/note', 'w') as note:\n"
    "        note.write(text)\n    return place + '/note'\n"
)
LOGIN = (
    "import os\n\n\ndef login(text: str) -> str:\n"
    "    return ' '.join([text, os.environ['PASSWORD'], os.environ['USER']])\n"
)


def names_of_the_run() -> dict[str, Any]:
    """Return a pipeline whose pods take names of secrets and amounts of memory from the run, in a loop and outside."""
    returned = {"producerTask": "name", "outputParameterKey": "Output"}
    secrets = [
        {"secretNameParameter": {"taskOutputParameter": returned}, "keyToEnv": [pair("password", "PASSWORD")]},
        {"secretNameParameter": {"componentInputParameter": "secret"}, "keyToEnv": [pair("user", "USER")]},
    ]
    memory = "{{$.inputs.parameters['pipelinechannel--memory']}}"
    spec = a_spec(
        {
            "name": a_task("comp-name", text=outer("secret")),
            "login": {
                **a_task("comp-login", text=constant("x"), **{"pipelinechannel--memory": outer("memory")}),
                "dependentTasks": ["name"],
            },
        },
        {
            "comp-name": a_component("exec-name", inputs={"text": TEXT}, outputs={"Output": TEXT}),
            "comp-login": a_component("exec-login", inputs={"text": TEXT}, outputs={"Output": TEXT}),
        },
        parameters={
            "secret": a_parameter(defaultValue="database", isOptional=True),
            "memory": a_parameter(defaultValue="1Gi", isOptional=True),
        },
        executors={
            "exec-name": a_lightweight(NAME, "name"),
            "exec-login": a_lightweight(
                LOGIN, "login", resources={"resourceMemoryLimit": memory, "resourceCpuLimit": "1"}
            ),
        },
    )
    return on_kubernetes(with_outputs(spec, {"said": "login"}), {"exec-login": {"secretAsEnv": secrets}})


def pair(key: str, variable: str) -> dict[str, str]:
    """Return which variable a key of a secret becomes."""
    return {"secretKey": key, "envVar": variable}


def on_kubernetes(spec: dict[str, Any], executors: dict[str, Any], **pipeline: Any) -> dict[str, Any]:
    """Return a pipeline with a platform spec, of its executors and of the pipeline."""
    kubernetes = {"deploymentSpec": {"executors": executors}} | ({"pipelineConfig": pipeline} if pipeline else {})
    return {"pipeline_spec": spec, "platform_spec": {"platforms": {"kubernetes": kubernetes}}}


def a_workspace() -> dict[str, Any]:
    """Return a pipeline whose programs and functions pass a file in the run's workspace, and its names."""
    write = 'mkdir -p "$0" && echo "$1" > "$0/note" && printf %s "$0/note" > "$2"'
    names = ("workspace_path", "pipeline_job_name", "outputs.parameters['Output'].output_file")
    spec = a_spec(
        {
            "leave": a_task("comp-leave"),
            "take": a_task("comp-take", path=given_by("leave")),
            "say": a_task("comp-name", text=given_by("take")),
        },
        {
            "comp-leave": a_component("exec-leave", outputs={"Output": TEXT}),
            "comp-take": a_component("exec-take", inputs={"path": TEXT}, outputs={"Output": TEXT}),
            "comp-name": a_component("exec-name", inputs={"text": TEXT}, outputs={"Output": TEXT}),
        },
        executors={
            "exec-leave": a_container(
                image="alpine:3", command=["sh", "-ec", write], args=[f"{{{{$.{name}}}}}" for name in names]
            ),
            "exec-take": a_lightweight(TAKE, "take"),
            "exec-name": a_lightweight(NAME, "name"),
        },
    )
    patch = {"pvcSpecPatch": {"storageClassName": "fast"}}
    return on_kubernetes(with_outputs(spec, {"said": "say"}), {}, workspace={"size": "1Gi", "kubernetes": patch})


def a_claim(place: str = "/data") -> dict[str, Any]:
    """Return a pipeline that makes a claim of storage, has steps leave a note there and take it, and deletes it."""
    made = {"producerTask": "createpvc", "outputParameterKey": "name"}
    mount = [{"mountPath": place, "taskOutputParameter": made, "pvcNameParameter": {"taskOutputParameter": made}}]
    name = {"taskOutputParameter": made}
    optional = ("pvc_name", "pvc_name_suffix", "volume_name")
    inputs = {
        "access_modes": a_parameter("LIST"),
        "size": TEXT,
        "storage_class_name": a_parameter(defaultValue="", isOptional=True),
        **{each: a_parameter(isOptional=True) for each in optional},
        **{each: a_parameter("STRUCT", isOptional=True) for each in ("annotations", "data_source")},
    }
    spec = a_spec(
        {
            "createpvc": a_task(
                "comp-createpvc",
                access_modes=constant(["ReadWriteMany"]),
                pvc_name_suffix=outer("suffix"),
                size=constant("1Gi"),
            ),
            "leave": {
                **a_task("comp-leave", text=outer("text"), place=constant(place)),
                "dependentTasks": ["createpvc"],
            },
            "take": {**a_task("comp-take", path=given_by("leave")), "dependentTasks": ["createpvc"]},
            "deletepvc": {**a_task("comp-deletepvc", pvc_name=name), "dependentTasks": ["take"]},
        },
        {
            "comp-createpvc": a_component("exec-createpvc", inputs=inputs, outputs={"name": TEXT}),
            "comp-deletepvc": a_component("exec-deletepvc", inputs={"pvc_name": TEXT}),
            "comp-leave": a_component("exec-leave", inputs={"text": TEXT, "place": TEXT}, outputs={"Output": TEXT}),
            "comp-take": a_component("exec-take", inputs={"path": TEXT}, outputs={"Output": TEXT}),
        },
        parameters={
            "suffix": a_parameter(defaultValue="-notes", isOptional=True),
            "text": a_parameter(defaultValue="a note", isOptional=True),
        },
        executors={
            "exec-createpvc": a_container(image="argostub/createpvc", command=[]),
            "exec-deletepvc": a_container(image="argostub/deletepvc", command=[]),
            "exec-leave": a_lightweight(LEAVE, "leave"),
            "exec-take": a_lightweight(TAKE, "take"),
        },
    )
    mounts = {"exec-leave": {"pvcMount": mount}, "exec-take": {"pvcMount": mount}}
    return on_kubernetes(with_outputs(spec, {"said": "take"}), mounts)


def an_init_container(place: str = "/data") -> dict[str, Any]:
    """Return a pipeline of a step that reads what an init container left in a folder of their pod."""
    first = {
        "name": "bring",
        "image": "busybox:1",
        "command": ["sh", "-ec"],
        "args": [f'echo "$WORD" > {place}/note'],
        "env": [{"name": "WORD", "value": "brought"}],
        "volumeMounts": [{"volumeName": "Brought Files", "mountPath": place}],
        "resources": {"requests": {"cpu": "100m"}},
    }
    folder = {"volumeName": "Brought Files", "mountPath": place}
    spec = a_spec(
        {"take": a_task("comp-take", path=constant(f"{place}/note"))},
        {"comp-take": a_component("exec-take", inputs={"path": TEXT}, outputs={"Output": TEXT})},
        executors={"exec-take": a_lightweight(TAKE, "take")},
    )
    asked = {"initContainers": [first], "emptyDirMounts": [folder]}
    return on_kubernetes(with_outputs(spec, {"said": "take"}), {"exec-take": asked})


def given_by(task: str) -> dict[str, Any]:
    """Return the source of a parameter that is a task's only output."""
    return {"taskOutputParameter": {"producerTask": task, "outputParameterKey": "Output"}}


def fields_of_the_pod() -> dict[str, Any]:
    """Return a pipeline of one step that is told fields of its pod, and asks for a user, memory and neighbours."""
    asked = {
        "fieldPathAsEnv": [
            {"name": "PASSWORD", "fieldPath": "metadata.annotations['note']"},
            {"name": "USER", "fieldPath": "metadata.labels['team']"},
        ],
        "podMetadata": {"labels": {"team": "ml"}, "annotations": {"note": "two words"}},
        "securityContext": {"runAsUser": 1000.0, "runAsGroup": 2000.0},
        "enabledSharedMemory": {"volumeName": "shm", "size": "1Gi"},
        "genericEphemeralVolume": [
            {"volumeName": "big", "mountPath": "/big", "accessModes": ["ReadWriteOnce"], "size": "10Gi",
             "defaultStorageClass": True},
        ],
        "podAffinity": [
            {"topologyKey": "zone", "matchPodLabels": {"app": "cache"}, "weight": 5.0},
            {"topologyKey": "node", "matchPodLabels": {"app": "noisy"}, "anti": True},
        ],
        "tolerations": [{"tolerationJson": {"runtimeValue": {"constant": {"key": "gpu", "tolerationSeconds": 30.0}}}}],
    }  # fmt: skip
    spec = a_spec(
        {"login": a_task("comp-login", text=constant("x"))},
        {"comp-login": a_component("exec-login", inputs={"text": TEXT}, outputs={"Output": TEXT})},
        executors={"exec-login": a_lightweight(LOGIN, "login")},
    )
    return on_kubernetes(with_outputs(spec, {"said": "login"}), {"exec-login": asked})


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
    "names-of-the-run": names_of_the_run(),
    "workspace": a_workspace(),
    "claim-of-storage": a_claim(),
    "init-container": an_init_container(),
    "fields-of-the-pod": fields_of_the_pod(),
    "program-of-another-image": a_program(resources={"resourceMemoryLimit": "1Gi"}),
}
