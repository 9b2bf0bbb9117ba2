"""The `argosy` command: parses, calls, prints.

Results go to stdout, progress to stderr. Everything heavier than the parser is imported by the command that needs it.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="argosy",
    help="Run, compile and release ML pipelines written once in the Kubeflow Pipelines DSL.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="What to print: text or one JSON document.")
]
StoreUrl = Annotated[str | None, typer.Option("--store", help="The store's folder or URL.")]
Parameters = Annotated[list[str] | None, typer.Option("-p", "--param", help="A pipeline parameter, name=value.")]
PipelineName = Annotated[str, typer.Argument(help="A name of the catalogue, or the path of a PipelineSpec.")]


@app.command()
def run(
    pipeline: PipelineName,
    param: Parameters = None,
    store: StoreUrl = None,
    force: Annotated[list[str] | None, typer.Option(help="Run this step whatever the store holds.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this step and what it depends on, nothing else.")] = None,
    debug: Annotated[str | None, typer.Option(help="Run this step here, under the debugger.")] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Steps at once; as many as processors.")
    ] = None,
    output: Output = "text",
) -> None:
    """Run a pipeline on this machine; what is already done is reused."""
    from argosy.session import Request

    request = Request(pipeline, _pairs(param), tuple(force or ()), tuple(only or ()), debug, jobs)
    from argosy.commands.run import run_pipeline

    sys.exit(run_pipeline(request, store=store, as_json=output == "json"))


@app.command()
def plan(pipeline: PipelineName, param: Parameters = None, store: StoreUrl = None, output: Output = "text") -> None:
    """Say what a run would do and why, without running anything."""
    from argosy.commands.plan import plan_pipeline

    plan_pipeline(pipeline, _pairs(param), store=store, as_json=output == "json")


@app.command(name="compile")
def compile_(
    pipeline: Annotated[str | None, typer.Argument(help="A name of the catalogue; all of them by default.")] = None,
    out: Annotated[
        str, typer.Option(help="The folder to write <pipeline>.yaml into.")
    ] = "manifests/workflows/kubeflow",
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if what is there is stale.")] = False,
) -> None:
    """Compile pipelines to PipelineSpecs."""
    from argosy.commands.compile import compile_catalogue

    compile_catalogue(pipeline, out, check=check)


@app.command()
def runs(store: StoreUrl = None, output: Output = "text") -> None:
    """List the newest runs."""
    from argosy.commands.history import print_runs

    print_runs(store=store, as_json=output == "json")


RunId = Annotated[str, typer.Argument(help="A run, a unique part of its name, or @latest.")]


@app.command()
def show(run_id: RunId = "@latest", store: StoreUrl = None, output: Output = "text") -> None:
    """Show how a run went, step by step."""
    from argosy.commands.history import print_run

    print_run(run_id, store=store, as_json=output == "json")


@app.command()
def report(
    run_id: RunId = "@latest",
    store: StoreUrl = None,
    out: Annotated[str | None, typer.Option(help="The file to write; .argosy/reports/<run>.html by default.")] = None,
) -> None:
    """Write the HTML report of a run and print its path."""
    from argosy.commands.history import write_report

    write_report(run_id, out, store=store)


@app.command()
def logs(
    run_id: RunId, step: Annotated[str, typer.Argument(help="A step of the run.")], store: StoreUrl = None
) -> None:
    """Print what a step wrote to stdout and stderr, in this run or in the one that it was reused from."""
    from argosy.commands.history import print_log

    print_log(run_id, step, store=store)


ModelRef = Annotated[str, typer.Option("--ref", help="The ref that names the model to serve.")]
DEFAULT_REF = "flights-delay/champion"


@app.command()
def serve(
    ref: ModelRef = DEFAULT_REF,
    port: Annotated[int | None, typer.Option(help="The port; [tool.argosy] port by default.")] = None,
    background: Annotated[bool, typer.Option("--background", help="Return once the server answers.")] = False,
    store: StoreUrl = None,
    output: Output = "text",
) -> None:
    """Serve the model that a ref points at, and follow the ref."""
    from argosy.commands.serve import serve_ref

    serve_ref(ref, port, background=background, store=store, as_json=output == "json")


@app.command()
def stop(output: Output = "text") -> None:
    """Stop the server of this project."""
    from argosy.commands.serve import stop_serving

    stop_serving(as_json=output == "json")


@app.command()
def rollback(
    ref: ModelRef = DEFAULT_REF,
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")] = "",
    store: StoreUrl = None,
    output: Output = "text",
) -> None:
    """Bring the previous model back and hold the current one."""
    from argosy.commands.release import roll_back_ref

    roll_back_ref(ref, reason, store=store, as_json=output == "json")


@app.command()
def release(
    digest: Annotated[
        str | None, typer.Argument(help="A held digest, or a unique start of it; none lists them.")
    ] = None,
    ref: ModelRef = DEFAULT_REF,
    reason: Annotated[str, typer.Option(help="Why; kept in the record.")] = "",
    store: StoreUrl = None,
    output: Output = "text",
) -> None:
    """Lift the hold that a rollback put on a model, or show what is released and held."""
    from argosy.commands.release import release_digest

    release_digest(ref, digest, reason, store=store, as_json=output == "json")


@app.command()
def verify(store: StoreUrl = None, output: Output = "text") -> None:
    """Read every byte of the store and compare it, the refs and the registry with what they should be."""
    from argosy.commands.verify import verify_store

    sys.exit(verify_store(store=store, as_json=output == "json"))


@app.command()
def doctor(output: Output = "text") -> None:
    """Say what is missing on this machine."""
    from argosy.commands.doctor import examine

    sys.exit(examine(as_json=output == "json"))


def _pairs(given: list[str] | None) -> dict[str, Any]:
    from argosy.errors import Mistake

    pairs = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise Mistake(f"-p {text}: got no '='; write -p name=value")
        pairs[name] = value
    return pairs
