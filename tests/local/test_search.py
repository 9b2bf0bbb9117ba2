"""A search in rounds, each trial a step: killed anywhere, it goes on where it was and chooses the same."""

import pytest

from tests.fakes.parcels_project import kill_tree
from tests.fakes.searching_project import a_searching_project

ALL = {f"{candidate}/{fold}" for candidate in range(6) for fold in range(2)}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    project = a_searching_project(tmp_path_factory.mktemp("undisturbed") / "project")
    steps, _ = project.run()
    assert (len(project.executed()), set(project.executed())) == (12, ALL)
    return steps


def test_a_search_that_is_killed_in_a_later_round_runs_only_the_trials_that_are_missing(tmp_path, undisturbed):
    project = a_searching_project(tmp_path / "project")

    kill_tree(project.start_and_stop_at("3/1"))
    before = project.executed()
    project.gate.unlink()
    steps, _ = project.run()

    assert {"0/0", "0/1", "1/0", "1/1", "3/1"} <= set(before) <= {each for each in ALL if each < "4"}
    assert set(project.executed()) == ALL
    # Those of the first round are done; one of the second may have been at work when the kill came.
    assert not {"0/0", "0/1", "1/0", "1/1"} & set(project.executed()[len(before) :])
    assert steps == undisturbed


def test_a_search_that_is_done_executes_nothing(tmp_path, undisturbed):
    project = a_searching_project(tmp_path / "project")
    project.run()

    steps, ran = project.run()

    assert (ran, len(project.executed()), steps) == (set(), 12, undisturbed)
