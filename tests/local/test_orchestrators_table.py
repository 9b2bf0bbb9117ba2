"""Argosy's column of the table in benchmarks/orchestrators: what a kill, an edit and a damaged output cost.

Every function of the benchmark's steps notes that it runs, so that these tests count executions, not claims of them.
"""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.fakes.parcels_project import a_parcels_project, ended, kill_tree

DONE = {"load-parcels", "clean-parcels", "build-features", "split-parcels"}
TRAINING = {"train-model", "evaluate-model", "write-report"}
TABLE = Path(__file__).parents[2] / "benchmarks/orchestrators/README.md"
BEFORE_TRAINING = ["load", "clean", "build_features", "split"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return a_parcels_project(tmp_path_factory.mktemp("template") / "parcels")


@pytest.fixture(scope="module")
def finished(template, tmp_path_factory):
    """Return a project whose pipeline ran once, and how that run ended."""
    project = template.copy(tmp_path_factory.mktemp("finished") / "parcels")
    return project, project.run()


@pytest.fixture
def project(finished, tmp_path):
    """Return a copy of the finished project with everything that it stored."""
    return finished[0].copy(tmp_path / "parcels")


@pytest.fixture
def features(project, finished):
    """Return the file in the store that holds the features."""
    return project.blob(finished[1], "build-features", "features")


def with_status(document, status):
    return {step["name"] for step in document["steps"] if step["status"] == status}


def executed(project):
    return [name for name, _ in project.executed()]


def test_an_unchanged_run_executes_nothing(project):
    document = project.run()

    assert executed(project) == []
    assert with_status(document, "reused") == DONE | TRAINING


@pytest.mark.slow
def test_after_a_kill_of_the_whole_tree_in_training_the_same_command_goes_on_at_training(template, tmp_path):
    project = template.copy(tmp_path / "parcels")
    kill_tree(project.start_and_stop_in_training())
    project.gate.unlink()

    document = project.run()

    assert with_status(document, "reused") == DONE
    assert with_status(document, "ran") == TRAINING
    assert executed(project) == [*BEFORE_TRAINING, "train", "train", "evaluate", "describe"]


@pytest.mark.slow
def test_after_a_kill_of_the_top_process_alone_no_second_training_overlaps_the_first(template, tmp_path):
    project = template.copy(tmp_path / "parcels")
    first = project.start_and_stop_in_training()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()

    second = project.start_and_stop_in_training(times=2)
    project.gate.unlink()

    assert with_status(ended(second), "ran") == TRAINING
    assert [how for name, how in project.executed() if name == "train"] == ["alone", "alone"]


def test_an_edited_comment_executes_nothing(project):
    project.edit("models.py", '    """Fit a scaled', '    # Scaled first.\n    """Fit a neatly scaled')

    document = project.run()

    assert executed(project) == []
    assert with_status(document, "reused") == DONE | TRAINING


@pytest.mark.slow
def test_an_edited_helper_executes_its_user_and_what_follows(project):
    project.edit("derive.py", '["hour"] >= 17', '["hour"] >= 19')

    document = project.run()

    assert executed(project) == ["build_features", "split", "train", "evaluate", "describe"]
    assert with_status(document, "reused") == {"load-parcels", "clean-parcels"}


def test_an_edited_helper_that_changes_no_byte_executes_its_user_alone(project):
    project.edit("derive.py", '["hour"] >= 17', '["hour"] > 16')

    document = project.run()

    assert executed(project) == ["build_features"]
    assert with_status(document, "reused") == (DONE | TRAINING) - {"build-features"}


def test_a_deleted_output_is_made_again_by_its_maker_alone(project, features):
    held = features.read_bytes()
    features.unlink()

    document = project.run()

    assert executed(project) == ["build_features"]
    assert with_status(document, "ran") == {"build-features"}
    assert features.read_bytes() == held


def test_garbage_in_an_output_is_made_good_by_its_maker_alone(project, features):
    held = features.read_bytes()
    overwrite(features, b"garbage")

    project.run()

    assert executed(project) == ["build_features"]
    assert features.read_bytes() == held


def test_one_flipped_bit_under_the_same_size_and_time_is_noticed(project, features):
    held, stat = features.read_bytes(), features.stat()
    overwrite(features, bytes([held[0] ^ 1]) + held[1:])
    os.utime(features, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    project.run()

    assert (features.stat().st_size, executed(project)) == (stat.st_size, ["build_features"])
    assert features.read_bytes() == held


def overwrite(file, data):
    """Write into a read-only file, in place."""
    file.chmod(0o644)
    file.write_bytes(data)
    file.chmod(0o444)


def test_every_cell_of_the_table_names_a_test_of_this_module():
    links = dict(re.findall(r'^\[(\w+)\]: \S+test_orchestrators_table.py "(\w+)"$', TABLE.read_text(), re.MULTILINE))
    row = next(line for line in TABLE.read_text().splitlines() if line.startswith("| **Argosy**"))

    assert len(set(links.values())) == len(links) > 0
    assert set(re.findall(r"\]\[(\w+)\]", row)) == set(links)
    assert set(links.values()) <= set(globals())
