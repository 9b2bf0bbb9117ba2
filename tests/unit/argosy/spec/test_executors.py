import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.executors import read_executor
from argosy.spec.fields import Fields
from argosy.spec.model import Declaration, Executor, Importer
from tests.fakes.specs import PREAMBLE, a_container, a_lightweight

SOURCE = "def train(rows: int) -> float:\n    return '{{$.pipeline_job_uuid}}'\n"
PIP = "python3 -m pip install --quiet --no-warn-script-location "
OWN = f"{PIP}'kfp==2.17.0' '--no-deps' 'typing-extensions>=3.7.4,<5; python_version<\"3.9\"'"


def read(executor):
    fields = Fields(executor, "executors.e")
    found = read_executor(fields)
    fields.require_all_read()
    return found


def test_a_container_is_read_whole():
    env = [{"name": "LEVEL", "value": "1"}, {"name": "EMPTY"}, {"name": "ARGOSY_KIND", "value": "observe"}]
    found = read(a_container(args=["--n", "{{$.inputs.parameters['n']}}"], env=env, resources={"cpuLimit": 2.0}))

    assert found.executor == Executor(
        image="python:3.11",
        command=("python", "-c", "pass"),
        args=("--n", "{{$.inputs.parameters['n']}}"),
        env={"LEVEL": "1", "EMPTY": ""},
    )
    assert found.declaration == Declaration(kind="observe")
    assert found.resources == {"cpuLimit": 2.0}


def test_lightweight_python_is_found_in_the_argv_and_its_source_is_left_alone():
    found = read(a_lightweight(SOURCE, "train")).executor

    assert (found.source, found.function, found.packages) == (PREAMBLE + SOURCE, "train", ())


@pytest.mark.parametrize(
    ("install", "packages"),
    [
        (OWN, ()),
        (f"{PIP}'numpy>=2' \"x; python_version<'3.9'\"  && {OWN}", ("numpy>=2", "x; python_version<'3.9'")),
        (f"{PIP}--index-url https://i --trusted-host https://i 'numpy'", ("numpy",)),
        (f"{PIP}'kfp==2.16.1'", ("kfp==2.16.1",)),
    ],
)
def test_the_components_own_packages_are_found_in_the_install_script(install, packages):
    assert read(a_lightweight(SOURCE, "train", install=install)).executor.packages == packages


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ({}, "executors.e: an executor without a container"),
        (a_container(image=""), "executors.e.container.image: missing"),
        (a_container(imagee="a"), "executors.e.container.imagee: unread field (did you mean 'image'?)"),
        (a_container(resources={"gpuu": 1}), "executors.e.container.resources.gpuu: unread field"),
        (
            a_container(resources={"accelerator": {"kind": "t4"}}),
            "executors.e.container.resources.accelerator.kind: unread field",
        ),
        (
            a_container(env=[{"name": "A"}, {"name": "A"}]),
            "executors.e.container.env[1].name: 'A' a second time; a variable is set once",
        ),
        (a_container(env=[{"name": "ARGOSY_KEYS"}]), "executors.e.container.env.ARGOSY_KEYS: unknown"),
    ],
)
def test_a_wrong_executor_is_refused_with_its_place(executor, message):
    with pytest.raises(Mistake) as caught:
        read(executor)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        ({"resolver": {"a": 1}}, "executors.e.resolver: custom executor (resolver): "),
        ({"customJob": {"a": 1}}, "executors.e.customJob: custom executor (customJob): "),
        (a_container(lifecycle={"preCacheCheck": {}}), "executors.e.container.lifecycle: container hook: "),
    ],
)
def test_an_executor_that_no_target_runs_is_refused_by_name(executor, message):
    with pytest.raises(Unsupported) as caught:
        read(executor)

    assert str(caught.value).startswith(f"{message}")
    assert ": unsupported: " in str(caught.value)


def test_an_importer_has_a_uri_of_its_own_or_of_an_input():
    schema = {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}
    fixed = {"artifactUri": {"constant": "file:///data"}, "typeSchema": schema, "metadata": {"k": "v"}}
    given = {"artifactUri": {"runtimeParameter": "uri"}, "typeSchema": schema, "reimport": True}

    assert read({"importer": fixed}).executor == Importer("file:///data", metadata={"k": "v"})
    assert read({"importer": given}).executor == Importer("", uri_input="uri", reimport=True)
    with pytest.raises(Mistake, match=r"importer\.artifactUri: no URI; allowed: constant"):
        read({"importer": {"artifactUri": {}}})
