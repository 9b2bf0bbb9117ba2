"""Judge a candidate: metrics, tests, comparison with the champion, latency, gates."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Input, Markdown, Metrics, Model, Output

from argosy.kubeflow.declare import step
from components.images import STEPS


@dsl.component(base_image=STEPS, install_kfp_package=False)
def evaluate_model(
    model: Input[Model], frame: Input[Dataset], profile: str, predictions: Output[Dataset]
) -> NamedTuple("Evaluated", metrics=dict):
    """Score the profile's test days and measure the scores."""
    from pathlib import Path

    from argosy.evaluation.evaluate import evaluate
    from components.flights.behaviour import SLICES
    from components.flights.gates import test_days

    start, end = test_days(profile)
    folders = {"model": Path(model.path), "frame": Path(frame.path), "predictions": Path(predictions.path)}
    return (evaluate(**folders, start=start, end=end, slices=SLICES),)


@dsl.component(base_image=STEPS, install_kfp_package=False)
def compare_models(
    predictions: Input[Dataset], champion: Input[Model], frame: Input[Dataset], profile: str
) -> NamedTuple("Compared", comparison=dict):
    """Compare the candidate with the champion on the same rows, by a paired bootstrap of days."""
    from pathlib import Path

    from argosy.evaluation.comparison import compare
    from components.flights.gates import POLICIES

    folders = {"predictions": Path(predictions.path), "champion": Path(champion.path), "frame": Path(frame.path)}
    return (compare(**folders, margin=POLICIES[profile].margin),)


@dsl.component(base_image=STEPS, install_kfp_package=False)
def test_model(model: Input[Model], frame: Input[Dataset], profile: str) -> NamedTuple("Tested", tests=dict):
    """Test invariance, direction, slices, minimum functionality, and that the real server boots with the model."""
    from pathlib import Path

    from argosy.evaluation.behaviour import test_model as test
    from components.flights.behaviour import CASES
    from components.flights.gates import test_days

    start, end = test_days(profile)
    return (test(model=Path(model.path), frame=Path(frame.path), start=start, end=end, cases=CASES),)


@step(measurements=["latency"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def measure_model(model: Input[Model], frame: Input[Dataset]) -> NamedTuple("Measured", latency=dict):
    """Measure the latency of one row, the throughput of a batch and the model's size."""
    from pathlib import Path

    from argosy.evaluation.latency import measure

    return (measure(model=Path(model.path), frame=Path(frame.path)),)


@dsl.component(base_image=STEPS, install_kfp_package=False)
def check_gates(metrics: dict, comparison: dict, tests: dict, profile: str) -> NamedTuple(
    "Judged", passed=bool, verdict=dict
):
    """Say whether the candidate may be registered, and why not."""
    from argosy.evaluation.gates import check_gates as check
    from components.flights.gates import POLICIES

    policy = POLICIES[profile]
    bounds = {"floors": policy.floors, "ceilings": policy.ceilings, "slices": policy.slices}
    verdict = check(metrics=metrics, comparison=comparison, tests=tests, **bounds)
    return verdict["ok"], verdict


@dsl.component(base_image=STEPS, install_kfp_package=False)
def check_latency(latency: dict, profile: str) -> NamedTuple("Judged", passed=bool, verdict=dict):
    """Say whether the candidate answers fast enough to be promoted."""
    from argosy.evaluation.gates import check_latency as check
    from components.flights.gates import POLICIES

    verdict = check(latency=latency, bounds=POLICIES[profile].latency)
    return verdict["ok"], verdict


@step(reads=["argosy/report/templates"])
@dsl.component(base_image=STEPS, install_kfp_package=False)
def show_results(
    metrics: dict,
    comparison: dict,
    tests: dict,
    verdict: dict,
    scores: Output[Metrics],
    curve: Output[ClassificationMetrics],
    gates: Output[Markdown],
    page: Output[HTML],
):
    """Show how the candidate was judged where Kubeflow's interface looks for it."""
    from pathlib import Path

    from argosy.report.typed import gates_markdown, results_page, roc_curve, scalar_metrics

    scores.metadata.update(scalar_metrics(metrics))
    curve.log_roc_curve(**roc_curve(metrics))
    curve.log_confusion_matrix(["on time", "late"], metrics["confusion"])
    sections = {"metrics": metrics, "comparison": comparison, "tests": tests}
    Path(gates.path).write_text(gates_markdown(verdict), encoding="utf-8")
    Path(page.path).write_text(results_page(sections, verdict, title="flights-training"), encoding="utf-8")
