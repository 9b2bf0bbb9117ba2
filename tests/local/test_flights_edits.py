"""An edit re-runs what depends on it and nothing else: each test edits one copy of the project after a fresh run."""

import ast
import json
import os
import re

import pytest

from tests.fakes.flights_project import FOLDERS, a_flights_project

pytestmark = pytest.mark.slow

PROPOSED = {"propose-candidates", "propose-candidates-2", "gather-scores", "gather-scores-2"}
SCORES = {f"{step}[{trial}]" for step in ("score-candidate", "score-candidate-2") for trial in range(4)}
JUDGED = {
    "evaluate-model", "compare-models", "test-model", "measure-model", "check-gates", "check-latency", "show-results",
}  # fmt: skip
INGESTED = {"ingest-flights", "validate-flights"}
PREPARED = INGESTED | {
    "compile-features", "build-flight-events", "check-coverage", "retrieve-features", "check-features",
}  # fmt: skip
RELEASED = {"register-model", "promote-model"}
ALL = PREPARED | PROPOSED | SCORES | {"choose-candidate", "train-model"} | JUDGED | RELEASED
TURNSTILE = "turnstile"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A copy of the project after its first run, with what that run printed."""
    project = a_flights_project(tmp_path_factory.mktemp("edits") / "flights")
    return project, project.month()


@pytest.fixture
def project(fresh):
    """The copy as its first run left it."""
    with fresh[0].restored() as project:
        yield project


def values(answer):
    """Return the outputs of every step by its name, but for those that are measured."""
    measured = {"measure-model", "check-latency", "deploy-model"}
    return {step["name"]: step["outputs"] for step in answer.document["steps"] if step["name"] not in measured}


def blob_of(project, answer, step):
    """Return the file of the largest blob that a step's record names."""
    record = project.store / "steps" / answer.step(step)["key"].removeprefix("sha256:") / "00000001.json"
    outputs = json.loads(record.read_text(encoding="utf-8"))["outputs"].values()
    sizes = {sha256: size for output in outputs for sha256, size in output.get("blobs", {}).items()}
    largest = max(sizes, key=sizes.__getitem__)
    return project.store / "blobs" / "sha256" / largest[:2] / largest[2:]


def with_new_prose(code):
    """Return code with a comment before and after it, and other words at the start of every docstring."""
    lines = code.splitlines(keepends=True)
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            text = node.body[0].value
            line = lines[text.lineno - 1]
            start = line.index('"""', text.col_offset) + 3
            lines[text.lineno - 1] = f"{line[:start]}In other words: {line[start:]}"
    return "# Before.\n" + "".join(lines) + "\n# After.\n"


def test_a_fresh_run_executes_every_step_and_promotes_its_model(fresh):
    _, first = fresh

    assert (first.code, first.ran) == (0, ALL)
    assert first.steps("observed") == {"observe-champion"}
    assert first.steps("skipped") == {"deploy-model"}
    assert first.verdict("promote-model")["verdict"] == "promoted"


def test_an_unchanged_run_executes_nothing(fresh, project):
    again = project.month()

    assert (again.code, again.ran, again.steps("reused")) == (0, set(), ALL)
    assert values(again) == values(fresh[1])


def test_the_feature_views_are_listed_with_what_the_run_measured_and_the_model_that_reads_them(fresh, project):
    answer = project.argosy("features", "--output", "json")

    views = {view["view"]: view for view in answer.document["views"]}
    [model] = answer.document["models"]
    assert (answer.code, len(views)) == (0, 11)
    assert model["names"] == ["flights-delay/champion", "flights-delay version 1"]
    assert {tuple(view["models"]) for view in views.values()} == {tuple(model["names"])}
    weather = views["weather"]
    assert (weather["owner"], weather["ttl_s"], weather["lag_s"]) == ("flights", 7200.0, 2100.0)
    assert weather["measured"]["run"] == fresh[1].document["run"]
    assert 0.99 < weather["measured"]["with_lag"] <= weather["measured"]["coverage"]


def test_definitions_that_cannot_hold_are_refused_before_a_run(project):
    with project.edited({"feature_repo/weather.py": ("ttl=timedelta(hours=2)", "ttl=timedelta(minutes=35)")}):
        answer = project.argosy("features", "check", "--output", "json")

    [problem] = answer.document["problems"]
    assert answer.code == 2
    assert "feature view 'weather': a row can be 35m old before it is served" in problem


def test_new_comments_and_docstrings_in_every_file_execute_nothing(project):
    files = [path for folder in FOLDERS for path in sorted((project.folder / folder).rglob("*.py"))]
    before = {path: path.read_text(encoding="utf-8") for path in files}
    for path, code in before.items():
        path.write_text(with_new_prose(code), encoding="utf-8")
    try:
        again = project.month()
    finally:
        for path, code in before.items():
            path.write_text(code, encoding="utf-8")

    assert len(files) > 100
    assert (again.code, again.ran) == (0, set())


def test_a_helper_that_changes_a_value_re_runs_the_steps_that_import_it_and_what_reads_the_value(fresh, project):
    with project.edited({"argosy/evaluation/metrics.py": ("N_BINS = 10", "N_BINS = 20")}):
        answer = project.month()

    assert (answer.code, answer.ran) == (0, JUDGED)
    before, after = (each.step("evaluate-model")["outputs"]["metrics"] for each in (fresh[1], answer))
    assert before != after


def test_a_helper_that_changes_no_value_re_runs_its_own_step_alone(fresh, project):
    with project.edited(
        {"argosy/features/offline/retrieval.py": ("\n\ndef retrieve(", "\n\nUNREAD = 1\n\n\ndef retrieve(")}
    ):
        answer = project.month()

    assert (answer.code, answer.ran) == (0, {"retrieve-features"})
    assert answer.step("retrieve-features")["reason"] == "source argosy/features/offline/retrieval.py changed"
    assert values(answer) == values(fresh[1])


def test_another_time_to_live_re_runs_from_the_compiled_features_on(fresh, project):
    weather = {"feature_repo/weather.py": ("ttl=timedelta(hours=2)", "ttl=timedelta(hours=3)")}
    with project.edited(weather):
        answer = project.month()

    # No weather of January is between two and three hours old: the frame holds the same values. But a model carries
    # the rules that it is served under, so it is another one, which is judged and released.
    reading_the_frame = {"check-features", *SCORES, "train-model", *JUDGED, *RELEASED}
    assert (answer.code, answer.ran) == (
        0,
        {"compile-features", "check-coverage", "retrieve-features"} | reading_the_frame,
    )
    assert answer.step("compile-features")["reason"] == "reads feature_repo changed"
    trained, before = answer.step("train-model")["outputs"], fresh[1].step("train-model")["outputs"]
    assert (trained["card"], trained["model"] == before["model"]) == (before["card"], False)


def test_a_view_that_would_be_served_too_late_ends_the_run_before_anything_is_trained(project):
    weather = "feature_repo/weather.py"
    shorter = {weather: ("ttl=timedelta(hours=2)", "ttl=timedelta(minutes=85)")}
    hourly = {weather: ('"materialize_every": "15m"', '"materialize_every": "1h"')}
    with project.edited(shorter), project.edited(hourly):
        answer = project.month()

    verdict = answer.verdict("check-coverage")
    assert (answer.code, verdict["verdict"], answer.document["status"]) == (3, "rejected", "rejected")
    assert "feature view 'weather': served 80m after they are known (max_lateness 15m" in verdict["reasons"][0]
    assert re.search(r": ttl=timedelta\(minutes=\d+\) covers \d", verdict["reasons"][0])
    assert answer.ran <= {"compile-features", "check-coverage", "retrieve-features", "check-features"}


def test_a_later_as_of_re_runs_only_what_selects_partitions(fresh, project):
    answer = project.month("-p", "as_of=2014-02-01T00:00:00Z")

    assert (answer.code, answer.ran) == (0, INGESTED)
    assert values(answer) == values(fresh[1])


def test_a_lock_that_pins_what_is_not_installed_is_refused(project):
    with project.edited({"requirements.lock": ("\npyarrow==", "\npyarrow==999.")}):
        answer = project.month()

    assert answer.code == 2
    assert "is installed and the lock pins 999." in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    shown = project.argosy("show").stdout.splitlines()
    assert ("failed" in shown[0], shown[-1]) == (True, answer.stderr.removeprefix("argosy: ").strip())


def test_an_upgraded_distribution_re_runs_exactly_the_steps_that_import_it(fresh, project):
    site = project.state / "site-packages"
    path = os.pathsep.join([str(project.folder), str(site)])

    def install(version):
        (site / f"{TURNSTILE}-{version}.dist-info").mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {TURNSTILE}\nVersion: {version}\n"
        (site / f"{TURNSTILE}-{version}.dist-info" / "METADATA").write_text(metadata, encoding="utf-8")
        (site / f"{TURNSTILE}-{version}.dist-info" / "top_level.txt").write_text(TURNSTILE, encoding="utf-8")
        (site / f"{TURNSTILE}.py").write_text(f"VERSION = {version!r}\n", encoding="utf-8")
        # An upgrade shows in the environment's own folder of packages, which this one stands beside.
        (project.state / "stamps.sqlite").unlink()

    first_line = "from __future__ import annotations\n"
    with project.edited({"components/flights/events.py": (first_line, f"{first_line}import {TURNSTILE}\n")}):
        install("1.0")
        before = project.month(PYTHONPATH=path)
        (site / f"{TURNSTILE}-1.0.dist-info").rename(site / "gone")
        install("1.1")
        after = project.month(PYTHONPATH=path)

    assert (before.code, before.ran) == (0, {"build-flight-events"})
    assert (after.code, after.ran) == (0, {"build-flight-events"})
    assert after.step("build-flight-events")["reason"] == f"distribution {TURNSTILE} changed"
    assert values(after) == values(fresh[1])


def test_a_stored_byte_that_flipped_is_noticed_and_its_step_runs_again(fresh, project):
    blob = blob_of(project, fresh[1], "retrieve-features")
    stat, data = blob.stat(), bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(data)
    os.utime(blob, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    answer = project.month()

    assert (answer.code, answer.ran) == (0, {"retrieve-features"})
    assert "missing or damaged" in answer.step("retrieve-features")["reason"]
    assert values(answer) == values(fresh[1])
    assert project.month().ran == set()


def test_a_stored_file_that_is_gone_is_made_again(fresh, project):
    blob_of(project, fresh[1], "train-model").unlink()

    answer = project.month()

    assert (answer.code, answer.ran) == (0, {"train-model"})
    assert values(answer) == values(fresh[1])
    assert project.month().ran == set()
