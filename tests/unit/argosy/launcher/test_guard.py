import subprocess
import sys

import pytest

from tests.fakes.launching import a_step
from tests.fakes.projects import git_init

CALL = "def step() -> int:\n    {}\n    return 1\n"


@pytest.fixture
def project(lab):
    """Return a lab in a git repository, with code and data that no step has declared."""
    git_init(lab.folder)
    lab.write("pkg/__init__.py", "")
    lab.write("pkg/known.py", "VALUE = 1\n")
    lab.write("pkg/hidden.py", "VALUE = 2\n")
    lab.write("data/table.csv", "a,b\n")
    lab.write("data/.secret", "x\n")
    return lab


def run(lab, line, **more):
    return lab.launch(a_step(CALL.format(line), **more))


@pytest.mark.parametrize("compiled", [False, True])
def test_an_import_by_a_computed_name_fails_the_step_and_names_the_file(project, compiled):
    if compiled:
        subprocess.run([sys.executable, "-m", "compileall", "-q", "pkg"], cwd=project.folder, check=True)

    outcome = run(project, "import importlib, pkg.known; importlib.import_module('pkg.' + 'hidden')")

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert outcome.error.startswith("open of pkg/hidden.py: it is not in the step's source closure")
    assert "declare the file in `reads`" in outcome.error


def test_an_import_statement_in_a_text_fails_the_step_and_names_the_module(project):
    outcome = run(project, "import pkg.known; exec('import pkg.' + 'hidden')")

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert outcome.error.startswith("import of pkg.hidden: it is not in the step's source closure")


def test_imports_in_the_closure_and_of_the_standard_library_pass(project):
    assert run(project, "import pkg.known, csv, wave; import yaml").status == "ran"


@pytest.mark.parametrize(
    "opening",
    [
        "open({!r})",
        "open({!r}.encode())",
        "__import__('pathlib').Path({!r}).read_text()",
        "__import__('os').open(__import__('pathlib').Path({!r}), 0)",
        "__import__('shutil').copy({!r}, 'copy')",
    ],
    ids=["text", "bytes", "pathlib", "os.open", "shutil"],
)
def test_opening_an_undeclared_file_fails_the_step(project, opening):
    outcome = run(project, opening.format(str(project.folder / "data" / "table.csv")))

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert outcome.error.startswith("open of data/table.csv: ")


def test_a_way_around_through_the_scratch_folder_is_seen(project):
    outcome = run(project, "open('../../../../../data/table.csv')")

    assert outcome.error.startswith("open of data/table.csv: ")


@pytest.mark.parametrize("reads", ["data", "data/table.csv", "data/*.csv"])
def test_a_declared_file_may_be_opened(project, reads):
    outcome = run(project, f"open({str(project.folder / 'data' / 'table.csv')!r}).close()", reads=(reads,))

    assert outcome.status == "ran"


def test_a_hidden_file_of_a_declared_folder_may_not_for_no_key_holds_it(project):
    outcome = run(project, f"open({str(project.folder / 'data' / '.secret')!r})", reads=("data",))

    assert outcome.error.startswith("open of data/.secret: ")


def test_a_file_that_git_ignores_may_be_opened(project):
    project.write(".gitignore", ".argosy/\n*.csv\n")

    assert run(project, f"open({str(project.folder / 'data' / 'table.csv')!r}).close()").status == "ran"


def test_files_outside_the_project_may_be_opened(project, tmp_path):
    (tmp_path / "elsewhere").write_text("x")

    assert run(project, f"open({str(tmp_path / 'elsewhere')!r}).close()").status == "ran"


def test_a_step_may_write_in_its_working_folder_and_read_it_back(project):
    assert run(project, "open('mine', 'w').close(); open('mine').close()").status == "ran"


def test_the_environment_inside_a_project_without_git_is_none_of_it(lab, monkeypatch):
    environment = lab.folder / ".venv"
    lab.write(".venv/lib/package/data.json", "{}")
    monkeypatch.setattr(sys, "prefix", str(environment))

    assert run(lab, f"open({str(environment / 'lib/package/data.json')!r}).close()").status == "ran"


def test_without_git_every_file_of_the_project_counts(lab):
    path = lab.write("data/table.csv", "a,b\n")

    assert run(lab, f"open({str(path)!r})").exit_code == 2


SWALLOWING = """
    for _ in range(2):
        try:
            open({!r})
        except Exception:
            continue
        raise AssertionError("it was opened")
"""


def test_where_there_is_no_program_git_the_file_is_named_all_the_same(project, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    outcome = run(project, f"open({str(project.folder / 'data/table.csv')!r})")

    assert outcome.error.startswith("open of data/table.csv: it is not in the step's source closure")


def test_a_step_that_catches_the_error_gets_no_file_and_fails_all_the_same(project):
    outcome = run(project, SWALLOWING.format(str(project.folder / "data" / "table.csv")))

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert outcome.error.startswith("open of data/table.csv: ")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import pkg.known as k; open(k.__file__, 'a')", "known.py for writing: it is the step's source"),
        ("import os, pkg.known as k; os.open(k.__file__, os.O_RDWR)", "known.py for writing: it is the step's source"),
        ("open({data!r}, 'w')", "table.csv for writing: it is the step's source or what it reads"),
        ("open({store!r} + '/new', 'w')", "new for writing: the store is written by the launcher alone"),
    ],
    ids=["source", "os.open", "reads", "store"],
)
def test_writing_what_a_step_may_only_read_fails_it_and_changes_nothing(project, line, error):
    files = [project.folder / "pkg" / "known.py", project.folder / "data" / "table.csv"]
    before = [file.read_bytes() for file in files]

    outcome = run(project, line.format(data=str(files[1]), store=str(project.store.root)), reads=("data",))

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert error in outcome.error
    assert [file.read_bytes() for file in files] == before


def test_reading_first_does_not_allow_to_write(project):
    outcome = run(project, "import pkg.known as k; open(k.__file__).close(); open(k.__file__, 'a')")

    assert "for writing" in outcome.error


def test_an_open_in_a_working_folder_that_is_gone_fails_as_without_a_guard(project):
    outcome = run(project, "import os; os.rmdir(os.getcwd()); open('here', 'w')")

    assert outcome.error == "FileNotFoundError: [Errno 2] No such file or directory: 'here'"
