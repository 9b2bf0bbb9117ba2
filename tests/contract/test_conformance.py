"""Argosy runs what Kubeflow runs, fails as it fails, and says by name what it cannot run."""

from pathlib import Path

import pytest

from tests.fakes.conformance import Case, cases, corpus, disagreements, run_case, run_command
from tests.fakes.conformance_page import PAGE, draw

pytestmark = pytest.mark.skipif(corpus() is None, reason="ARGOSY_CORPUS names no folder of compiled pipelines")


def of_kind(*kinds: str) -> pytest.MarkDecorator:
    found = [case for case in cases().values() if case.kind in kinds]
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.file, marks=marks(case)) for case in found])


def marks(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=case.disagrees)] if case.disagrees else []


def tried(case: Case, folder: Path) -> list[str]:
    if not case.is_judged_here:
        pytest.skip(f"{case.file} speaks of machines where `{case.where}` holds")
    return disagreements(case, run_case(case, folder, corpus=corpus()))


@of_kind("executes")
def test_it_executes_with_the_values_it_should_have_and_once(case: Case, tmp_path: Path):
    assert tried(case, tmp_path) == []


@of_kind("fails")
def test_it_fails_where_kubeflow_fails_and_its_exit_tasks_run(case: Case, tmp_path: Path):
    assert tried(case, tmp_path) == []


@of_kind("refused")
def test_it_is_refused_by_the_name_of_what_is_not_here(case: Case, tmp_path: Path):
    assert tried(case, tmp_path) == []


@of_kind("rejected")
def test_what_is_no_pipeline_is_rejected_with_its_place(case: Case, tmp_path: Path):
    assert tried(case, tmp_path) == []


COMMANDED = (
    "valid/arguments_parameters.yaml",
    "valid/container_io.yaml",
    "valid/essential/dict_input.yaml",
    "valid/failing/pipeline_with_multiple_exit_handlers.yaml",
    "valid/parameters_complex.yaml",
    "invalid/no_name.yaml",
)


@pytest.mark.parametrize("file", COMMANDED)
def test_the_command_ends_as_a_session_does(file: str, tmp_path: Path):
    case = cases()[file]

    assert disagreements(case, run_case(case, tmp_path, corpus=corpus(), runner=run_command)) == []


def test_the_table_speaks_of_every_file_and_no_other():
    files = {file.relative_to(corpus()).as_posix() for file in corpus().rglob("*.yaml")}

    assert files == set(cases())


def test_the_page_says_what_these_runs_say():
    # What the tests above hold is all that the page tells of runs.
    found = {file: [case.disagrees] if case.disagrees else [] for file, case in cases().items()}

    assert PAGE.read_text(encoding="utf-8") == draw(found, corpus())
