"""The `argosy` command: parses, calls, prints.

Results go to stdout, progress to stderr. Everything heavier than the parser is imported by the command that needs it.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from argosy.commands.options import namespace, output, parameters, pipeline, reason, ref, run_id, store


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="argosy")
def app() -> None:
    """Run, compile and release ML pipelines written once in the Kubeflow Pipelines DSL.

    Exit codes: 0 done; 1 a step failed; 2 a mistake in what was asked; 3 a verdict said no; 75 an outage, worth
    retrying; 130 and 143 interrupted.
    """


@app.command()
@pipeline
@parameters
@store
@click.option("--force", multiple=True, metavar="STEP", help="Run this step whatever the store holds.")
@click.option("--only", multiple=True, metavar="STEP", help="Run this step and what it depends on, nothing else.")
@click.option("--debug", metavar="STEP", help="Run this step in this process, under the debugger.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Steps at once; as many as processors by default.")
@output
def run(*, pipeline: str, store: str | None, as_json: bool, **asked: Any) -> None:
    """Run PIPELINE on this machine; what is already done is reused.

    PIPELINE is a name of the catalogue, or the path of a compiled PipelineSpec.
    """
    from argosy.commands.run import run_pipeline
    from argosy.session import Request

    request = Request(
        pipeline, asked["parameters"], asked["force"], asked["only"], debug=asked["debug"], concurrency=asked["jobs"]
    )
    sys.exit(run_pipeline(request, store=store, as_json=as_json))


@app.command()
@pipeline
@parameters
@store
@output
def plan(pipeline: str, parameters: dict[str, Any], *, store: str | None, as_json: bool) -> None:
    """Say what a run of PIPELINE would do, and why.

    Nothing is run but steps that observe.
    """
    from argosy.commands.plan import plan_pipeline

    plan_pipeline(pipeline, parameters, store=store, as_json=as_json)


@app.command(name="compile")
@click.argument("pipeline", required=False)
@click.option(
    "--target", type=click.Choice(["kubeflow", "argo"]), default="kubeflow", show_default=True, help="What it is for."
)
@click.option(
    "--kind",
    type=click.Choice(["Workflow", "WorkflowTemplate", "CronWorkflow"]),
    default="Workflow",
    show_default=True,
    help="What becomes of it on Argo.",
)
@click.option("--schedule", metavar="EXPR", help="When a CronWorkflow runs, like '0 6 * * *'; `as_of` is that time.")
@click.option("--timezone", metavar="ZONE", default="UTC", show_default=True, help="The zone of the schedule.")
@click.option("--fuse", is_flag=True, help="On Argo, have alike steps share pods.")
@click.option("--out", metavar="FOLDER", help="Where to write; manifests/workflows/<target> by default.")
@click.option("--check", is_flag=True, help="Write nothing; fail if what is there is stale.")
def compile_(*, pipeline: str | None, target: str, out: str | None, check: bool, **asked: Any) -> None:
    """Compile PIPELINE, or the whole catalogue, for a target.

    The launcher stands in front of each step. PIPELINE is a name of the catalogue, or the path of a PipelineSpec.
    """
    from argosy.commands.compile import argo, compile_catalogue, kubeflow
    from argosy.errors import Mistake

    if target != "argo" and (asked["kind"] != "Workflow" or asked["schedule"] or asked["fuse"]):
        raise Mistake(f"--kind, --schedule and --fuse go with --target argo, not with {target}")
    wanted = argo(**asked) if target == "argo" else kubeflow()
    compile_catalogue(pipeline, out or f"manifests/workflows/{target}", wanted, check=check)


@app.command()
@pipeline
@parameters
@click.option(
    "--target", type=click.Choice(["argo", "kubeflow"]), default="argo", show_default=True, help="What runs it there."
)
@namespace
@click.option("--watch", is_flag=True, help="Follow the run to its end, and exit as it does.")
@click.option("--fuse", is_flag=True, help="On Argo, have alike steps share pods.")
@click.option("--experiment", metavar="NAME", help="Kubeflow's experiment; named like the pipeline by default.")
@click.option("--host", metavar="URL", help="Kubeflow's API; ARGOSY_KUBEFLOW_HOST or [tool.argosy] by default.")
@click.option("--cron", metavar="EXPR", help="Have Kubeflow run it again and again, like '0 6 * * *'.")
@store
@output
def submit(*, pipeline: str, target: str, store: str | None, as_json: bool, **asked: Any) -> None:
    """Run PIPELINE on a cluster, once per plan.

    To Argo goes what is not done yet; an unchanged run starts no pod. A run of the same plan that goes on there is
    attached to. PIPELINE is a name of the catalogue, or the path of a PipelineSpec.
    """
    if target == "kubeflow":
        from argosy.commands import submit_kubeflow
        from argosy.errors import Mistake

        if asked.pop("fuse"):
            raise Mistake("--fuse: said to Argo alone; leave it out, or give --target argo")
        sys.exit(
            submit_kubeflow.submit_pipeline(submit_kubeflow.Asked(pipeline, **asked), store=store, as_json=as_json)
        )
    _require_none_of_kubeflow(asked)
    from argosy.commands.submit_argo import Asked, submit_pipeline

    sys.exit(submit_pipeline(Asked(pipeline, **asked), store=store, as_json=as_json))


@app.command()
@run_id
@namespace
@click.option("--watch", is_flag=True, help="Follow the run to its end.")
@store
@output
def status(run_id: str, namespace: str | None, *, watch: bool, store: str | None, as_json: bool) -> None:
    """Say how far RUN has come on its cluster, step by step.

    Exits as the run does once it has ended, with 0 while it goes on. RUN is a run's name, a unique part of it, or
    @latest.
    """
    from argosy.commands.status import print_status

    sys.exit(print_status(run_id, namespace, watch=watch, store=store, as_json=as_json))


@app.command()
@run_id
@namespace
@click.option("--watch", is_flag=True, help="Follow the run to its end, and exit as it does.")
@store
@output
def retry(run_id: str, namespace: str | None, *, watch: bool, store: str | None, as_json: bool) -> None:
    """Run again what is left of RUN, where it ran: here, or on its cluster.

    With its parameters, and with the code as it is now; all that is done already stands.
    """
    from argosy.commands.status import retry_run

    sys.exit(retry_run(run_id, namespace, watch=watch, store=store, as_json=as_json))


@app.command()
@store
@output
def runs(*, store: str | None, as_json: bool) -> None:
    """List the newest runs."""
    from argosy.commands.history import print_runs

    print_runs(store=store, as_json=as_json)


@app.command()
@run_id
@store
@output
def show(run_id: str, *, store: str | None, as_json: bool) -> None:
    """Show how RUN went, step by step.

    RUN is a run's name, a unique part of it, or @latest.
    """
    from argosy.commands.history import print_run

    print_run(run_id, store=store, as_json=as_json)


@app.command()
@run_id
@store
@click.option("--out", metavar="FILE", help="Where to write; .argosy/reports/<run>.html by default.")
def report(run_id: str, out: str | None, *, store: str | None) -> None:
    """Write the HTML report of RUN and print its path."""
    from argosy.commands.history import write_report

    write_report(run_id, out, store=store)


@app.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step", metavar="STEP")
@namespace
@store
def logs(run_id: str, step: str, namespace: str | None, *, store: str | None) -> None:
    """Print what STEP wrote in RUN, here or on a cluster.

    Where it was reused, what it wrote when it ran.
    """
    from argosy.commands.history import print_log

    print_log(run_id, step, namespace, store=store)


@app.group(invoke_without_command=True)
@store
@output
@click.pass_context
def features(context: click.Context, *, store: str | None, as_json: bool) -> None:
    """List feature views: policy, coverage, ages, readers.

    Coverage and ages are those of the newest run that retrieved a view.
    """
    if context.invoked_subcommand is None:
        from argosy.commands.features import print_features

        print_features(store=store, as_json=as_json)


@features.command()
@store
@output
def check(*, store: str | None, as_json: bool) -> None:
    """Judge the definitions as a run would, before it."""
    from argosy.commands.features import check_features

    sys.exit(check_features(store=store, as_json=as_json))


@features.command()
@click.option("--online", metavar="URL", help="The online store; the setting's by default.")
def metrics(online: str | None) -> None:
    """Print how complete and fresh the online store is.

    In Prometheus' text format, for its node exporter or a gateway; the server's own /metrics tells of what it reads.
    """
    from argosy.commands.features import print_metrics

    print_metrics(online)


@features.command()
@click.argument("stream")
@click.option("--redis", "source", metavar="URL", help="The Redis that holds it; the online store's by default.")
@click.option("--online", metavar="URL", help="The online store; the setting's by default.")
@click.option("--drain", is_flag=True, help="End when nothing is left.")
@output
def consume(stream: str, source: str | None, online: str | None, *, drain: bool, as_json: bool) -> None:
    """Write the rows pushed to the Redis stream STREAM online.

    A row is JSON in a field `row`: view, key, event, values. Late rows are accounted, bad ones set aside in
    STREAM:refused. Ends on SIGTERM, and says what became of the rows.
    """
    from argosy.commands.consume import consume_stream

    consume_stream(stream, source, online, drain=drain, as_json=as_json)


@app.command()
@ref
@click.option("--port", type=click.IntRange(1, 65535), help="The port; [tool.argosy] port by default.")
@click.option("--background", is_flag=True, help="Return once the server answers.")
@click.option("--online", metavar="URL", help="The online store; [tool.argosy] online or .argosy/online.db by default.")
@click.option("--replay", is_flag=True, help="Let a request say the instant that it is answered as of.")
@store
@output
def serve(*, ref: str, port: int | None, store: str | None, as_json: bool, **asked: Any) -> None:
    """Serve the model that a ref names, and follow the ref."""
    from argosy.commands.serve import LookUp, serve_ref

    look_up = LookUp(asked["online"], asked["replay"])
    serve_ref(ref, port, look_up, background=asked["background"], store=store, as_json=as_json)


@app.command()
@click.option(
    "--features", metavar="FILE", help="A JSON file with one value per feature; the model's example by default."
)
@click.option("--entities", metavar="FILE|JSON", help="Keys and the request's own fields; features are looked up.")
@click.option("--as-of", metavar="INSTANT", help="Answer as of then, like 2013-06-01T12:00:00Z; needs serve --replay.")
@click.option("--explain", is_flag=True, help="Say what each view had.")
@output
def predict(*, features: str | None, as_json: bool, **asked: Any) -> None:
    """Ask this project's server for one prediction.

    The command that does is printed with the answer.
    """
    from argosy.commands.predict import predict_once

    predict_once(features, as_json=as_json, **asked)


@app.command()
@output
def stop(*, as_json: bool) -> None:
    """Stop the server of this project."""
    from argosy.commands.serve import stop_serving

    stop_serving(as_json=as_json)


@app.command()
@ref
@reason
@store
@output
def rollback(ref: str, reason: str, *, store: str | None, as_json: bool) -> None:
    """Bring the previous model back and hold the current one."""
    from argosy.commands.release import roll_back_ref

    roll_back_ref(ref, reason, store=store, as_json=as_json)


@app.command()
@click.argument("digest", required=False)
@ref
@reason
@store
@output
def release(digest: str | None, ref: str, reason: str, *, store: str | None, as_json: bool) -> None:
    """Lift the hold on DIGEST, or show what was released.

    A rollback holds what it takes back. Without DIGEST, the history of the ref is shown, and what is held.
    """
    from argosy.commands.release import release_digest

    release_digest(ref, digest, reason, store=store, as_json=as_json)


@app.command()
@click.option("--repair", is_flag=True, help="Draw the refs into the registry again first.")
@store
@output
def verify(*, repair: bool, store: str | None, as_json: bool) -> None:
    """Read the whole store; compare refs and registry.

    Every blob is hashed, every chain of a ref walked, every alias of the registry compared with its ref.
    """
    from argosy.commands.verify import verify_store

    sys.exit(verify_store(repair=repair, store=store, as_json=as_json))


@app.command()
@click.option("--dry-run", is_flag=True, help="Delete nothing; say what would go.")
@store
@output
def gc(*, dry_run: bool, store: str | None, as_json: bool) -> None:
    """Delete from the store what nothing needs any more.

    Needed is what a ref, an effect, an open run or one of a pipeline's last 20 runs names, with all that went into it.
    Records go at once; blobs that nothing names any more go in a gc a day later or more. Runs may go on meanwhile.
    """
    from argosy.commands.gc import collect_garbage

    collect_garbage(dry_run=dry_run, store=store, as_json=as_json)


@app.command()
@output
def doctor(*, as_json: bool) -> None:
    """Say what is missing on this machine."""
    from argosy.commands.doctor import examine

    sys.exit(examine(as_json=as_json))


def _require_none_of_kubeflow(asked: dict[str, Any]) -> None:
    from argosy.errors import Mistake

    given = [f"--{name}" for name in ("experiment", "host", "cron") if asked.pop(name)]
    if given:
        raise Mistake(
            f"{', '.join(given)}: said to Kubeflow alone; give --target kubeflow, or leave it out. On Argo, "
            "`argosy compile PIPELINE --target argo --kind CronWorkflow --schedule ...` writes one for `kubectl`"
        )
