import dataclasses
import platform
import sys

import pytest

from argosy.errors import Mistake
from argosy.launcher.key import Project, changed_parts, step_key
from argosy.launcher.step import Input, Output
from tests.fakes.launching import a_step

CODE = """
def step(n: float) -> int:
    from helpers.arithmetic import twice

    return twice(n)
"""


@pytest.fixture
def project(lab):
    """Return a lab whose project has a helper and data."""
    lab.write("helpers/__init__.py", "")
    lab.write("helpers/arithmetic.py", "from helpers.deep import TWO\ndef twice(n): return TWO * n\n")
    lab.write("helpers/deep.py", "TWO = 2\n")
    lab.write("conf/limits.toml", "upper = 3\n")
    lab.write("conf/rules.py", "# A comment.\nLIMIT = 3\n")
    return lab


def test_equal_steps_have_equal_keys(project):
    assert project.key(a_step(CODE)) == project.key(a_step(CODE))


def test_prose_changes_no_key(project):
    before = project.key(a_step(CODE))

    project.write("helpers/deep.py", '"""Numbers."""\n\nTWO   =   2  # not three\n')

    assert project.key(a_step(CODE.replace("return", "# Why.\n    return"))) == before


def test_an_edited_helper_of_a_helper_changes_the_key(project):
    before = project.key(a_step(CODE))

    project.write("helpers/deep.py", "TWO = 3\n")

    assert project.key(a_step(CODE)) != before


def test_names_of_tasks_time_limits_and_the_cache_switch_are_no_part_of_a_key(project):
    step = a_step(CODE)

    others = [{"name": "another"}, {"timeout_s": 9.0}, {"cache": False}, {"natural_key": ("n",)}]

    assert {project.key(dataclasses.replace(step, **other)) for other in others} == {project.key(step)}


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"n": Input(2, 2)}},
        {"inputs": {"m": Input(1, 1)}},
        {"function": "other"},
        {"env": {"LEVEL": "1"}},
        {"declared_env": ("HOME",)},
        {"reads": ("conf",)},
        {"measurements": frozenset(["Output"])},
        {"salt": "again"},
        {"outputs": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_that_an_output_depends_on_enters_the_key(project, change):
    step = a_step(CODE, inputs={"n": 1})

    assert project.key(dataclasses.replace(step, **change)) != project.key(step)


def test_a_parameter_has_one_key_in_every_form_of_its_number(project):
    keys = {project.key(a_step(CODE, inputs={"n": value})) for value in (3, 3.0)}

    assert len(keys) == 1
    assert project.key(a_step(CODE, inputs={"n": {"a": [1.0]}})) == project.key(a_step(CODE, inputs={"n": {"a": [1]}}))


def test_a_text_a_number_and_a_bool_are_three_parameters(project):
    assert len({project.key(a_step(CODE, inputs={"n": value})) for value in (1, "1", True, None)}) == 4


def test_an_artifact_enters_by_its_digest(lab):
    write = "def step(out: Output[Dataset], text: str):\n    open(out.path, 'w').write(text)\n"
    outputs = {"out": "system.Dataset"}
    first, same, other = (
        lab.launch(a_step(write, inputs={"text": text, "n": n}, outputs=outputs)).outputs["out"]
        for text, n in (("a", 1), ("a", 2), ("b", 1))
    )

    keys = [lab.key(a_step(inputs={"x": each.as_input("sha256:0", "out")})) for each in (first, same, other)]

    assert keys[0] == keys[1] != keys[2]


def test_a_measurement_enters_as_its_producer_and_name(lab):
    def key(value, producer="sha256:1", name="seconds"):
        return lab.key(a_step(inputs={"x": Output(value, measured=True).as_input(producer, name)}))

    assert key(0.1) == key(0.2)
    assert len({key(0.1), key(0.1, producer="sha256:2"), key(0.1, name="other")}) == 3


def test_a_consumer_of_a_measurement_gives_measurements(lab):
    measured = Output(0.5, measured=True).as_input("sha256:1", "seconds")

    outcome = lab.launch(a_step("def step(x: float) -> int:\n    return int(2 * x)\n", inputs={"x": measured}))

    assert outcome.outputs["Output"] == Output(1, measured=True)


def test_a_declared_variable_enters_with_its_value_and_a_stranger_does_not(lab, monkeypatch):
    step = a_step(declared_env=("LEVEL",))
    unset = lab.key(step)
    monkeypatch.setenv("LEVEL", "1")
    set_ = lab.key(step)

    monkeypatch.setenv("OTHER", "1")

    assert unset != set_ == lab.key(step)


@pytest.mark.parametrize(("name", "edit"), [("conf", "upper = 4\n"), ("conf/*.toml", "upper = 4\n")])
def test_declared_files_enter_by_their_bytes(project, name, edit):
    before = project.key(a_step(reads=(name,)))

    project.write("conf/limits.toml", edit)

    assert project.key(a_step(reads=(name,))) != before


def test_declared_python_files_enter_as_code(project):
    before = project.key(a_step(reads=("conf",)))

    project.write("conf/rules.py", "LIMIT = 3\n")
    prose = project.key(a_step(reads=("conf",)))
    project.write("conf/rules.py", "LIMIT = 4\n")

    assert prose == before != project.key(a_step(reads=("conf",)))


def test_what_tools_leave_in_a_declared_folder_is_no_part_of_the_key(project):
    before = project.key(a_step(reads=("conf",)))

    project.write("conf/__pycache__/rules.cpython-311.pyc", "bytes")
    project.write("conf/.ipynb_checkpoints/limits.toml", "upper = 9\n")

    assert project.key(a_step(reads=("conf",))) == before


def test_a_new_or_renamed_file_in_a_declared_folder_changes_the_key(project):
    before = project.key(a_step(reads=("conf",)))

    (project.folder / "conf" / "limits.toml").rename(project.folder / "conf" / "bounds.toml")

    assert project.key(a_step(reads=("conf",))) != before


@pytest.mark.parametrize("name", ["nowhere", "conf/*.json", "/etc/hosts", "../elsewhere"])
def test_declared_files_that_are_not_in_the_project_are_a_mistake(project, name):
    with pytest.raises(Mistake, match=r"^reads: .* is not in .*name a file, a folder or a glob"):
        project.key(a_step(reads=(name,)))


def test_declared_reads_of_a_module_leave_its_imports_alone(project):
    project.write("helpers/arithmetic.py", "from .deep import TWO\ndef twice(n): return TWO * n\n")
    project.key(a_step(reads=("helpers",)))
    before = project.key(a_step(CODE))

    project.write("helpers/deep.py", "TWO = 3\n")

    assert project.key(a_step(CODE)) != before


def test_the_platform_enters_the_key(lab):
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    assert step_key(a_step(), lab.project).document["platform"] == {
        "python": version,
        "os": sys.platform,
        "arch": platform.machine(),
    }


def test_locked_versions_of_what_the_closure_imports_enter_the_key(project):
    project.write("helpers/deep.py", "import numpy\nTWO = 2\n")

    assert set(step_key(a_step(CODE), project.project).document["distributions"]) == {"numpy"}


def test_a_step_is_not_keyed_where_the_lock_and_the_installation_differ(project):
    project.write("helpers/deep.py", "import numpy\nTWO = 2\n")
    lock = project.write("requirements.lock", "numpy==0.1\n")

    with pytest.raises(Mistake, match=r"numpy: .* is installed and the lock pins"):
        step_key(a_step(CODE), Project(project.project.roots, lock, project.store.stamps))


def test_changed_parts_are_told_in_words(project):
    before = step_key(a_step(CODE, inputs={"n": 1}), project.project).document
    project.write("helpers/deep.py", "TWO = 3\n")
    after = step_key(a_step(CODE + "\n", inputs={"n": 2}, salt="x"), project.project).document

    assert changed_parts(before, after) == ["source helpers/deep.py changed", "input n changed", "salt changed"]
    assert changed_parts(None, after) == ["never ran before"]
    assert changed_parts(after, after) == []
