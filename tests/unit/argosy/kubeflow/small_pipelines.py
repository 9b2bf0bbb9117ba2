"""Pipelines that the tests of this folder compile in a child process."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from argosy.kubeflow.declare import step


@dsl.component(base_image="python:3.11", install_kfp_package=False, packages_to_install=["numpy>=2"])
def ingest(as_of: str, rows: int, options: dict, raw: Output[Dataset]) -> bool:
    return bool(rows)


@step(kind="fact", reads=["conf/*.toml"], env=["REGISTRY"], measurements=["version"], verdicts=["ok"], key=["model"])
@dsl.component(base_image="python:3.11")
def register(model: Input[Dataset], name: str, version: dsl.OutputPath(int), ok: dsl.OutputPath(dict), tag: str = "x"):
    pass


@dsl.component(base_image="python:3.11")
def tell(text: str):
    pass


@dsl.container_component
def convert(data: Input[Dataset], model: Output[Model]):
    return dsl.ContainerSpec(image="busybox:1", command=["sh", "-c"], args=["cp $0 $1", data.path, model.path])


@dsl.pipeline(name="small", description="Everything that a plan carries.")
def small(as_of: str = "2013-12-31", rows: int = 3, note: str = "n"):
    raw = ingest(as_of=as_of, rows=rows, options={"depth": 6, "tags": [f"at {as_of}", 2.0]})
    raw.set_retry(2, backoff_duration="10s").set_cpu_limit("2")
    convert(data=raw.outputs["raw"]).set_caching_options(False)
    with dsl.If(raw.outputs["Output"] == True):  # noqa: E712
        done = register(model=raw.outputs["raw"], name="flights").set_env_variable("LEVEL", "1")
        with dsl.If(rows > 1):
            tell(text=f"registered, {note}").after(done)
    with dsl.Else():
        other = tell(text="nothing")
    tell(text="end").after(other)


def wrong_bool():
    @dsl.pipeline(name="wrong-bool")
    def pipeline(flag: bool):
        with dsl.If(flag == 1):
            tell(text="never")

    return pipeline


def wrong_text():
    @dsl.pipeline(name="wrong-text")
    def pipeline(count: int):
        with dsl.If(count == "1"):
            tell(text="never")

    return pipeline


NOT_A_PIPELINE = {"a": 1}
PIPELINES = {"small": small, "by-name": f"{__name__}:small"}
