import sys

import pytest

from argosy.local.programs import Start, lacking_program, programs_of, started_by
from argosy.spec.model import Executor


def lacking(*argv, args=(), image="alpine", **more):
    return list(lacking_program(Executor(image=image, command=argv, args=args, **more)))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("sh", "-c", "echo 1"), Start(text="echo 1")),
        (("bash", "-e", "-c", "echo 1", "0"), Start(text="echo 1")),
        (("bash", "-eo", "pipefail", "-c", "echo 1"), Start(text="echo 1")),
        (("/bin/sh", "-ec", "echo 1"), Start(text="echo 1")),
        (("sh", "run.sh", "-c"), Start(file="run.sh")),
        (("sh",), Start()),
        (("python3", "-u", "train.py"), Start(file="train.py")),
        (("python3.11", "-W", "ignore", "-m", "a.b", "x"), Start(module="a.b")),
        (("python", "-c", "print(1)", "train.py"), Start()),
        (("python", "-"), Start()),
        (("echo", "run.sh"), Start()),
    ],
)
def test_what_an_interpreter_is_told_to_run(argv, expected):
    assert started_by(argv) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("gsutil cp a b", ["gsutil"]),
        ("\nset -ex\nmkdir -p x\necho {{$.inputs.parameters['n']}} | jq 'add' > x/y\n", ["mkdir", "jq"]),
        ("# first\ntool a; other b", ["tool", "other"]),
        ("echo gsutil", []),
        ("first \\\n  second", ["first"]),
        ("echo 'gsutil; rm'", []),
        ("tool 2>&1 | other >&2", ["tool", "other"]),
        ("test -f x && tool", []),
        ("A=1 tool", []),
        ("./tool x", []),
        ('"$0" "$@"', []),
        ("(tool a)", ["tool"]),
        # What may be missing on purpose, or may be no program.
        ("tool a || other b", ["tool"]),
        ("if command -v tool; then tool; fi", []),
        ("name() { echo; }\nname", []),
        ("cat <<END\nwords here\nEND\n", ["cat"]),
        ("set +e\ntool", []),
        ("export PATH=/x:$PATH\ntool", []),
        ("echo 'unclosed", []),
    ],
)
def test_the_programs_of_a_script(script, expected):
    assert programs_of(script) == expected


def test_a_program_that_is_not_here_is_named():
    assert lacking("no-such-program", "x") == [("program", "no-such-program")]
    assert lacking("/no/such/program") == [("program", "/no/such/program")]
    assert lacking("sh", "-c", args=("no-such-program | other-program",)) == [
        ("program", "no-such-program"),
        ("program", "other-program"),
    ]


@pytest.mark.parametrize("first", ["{{$.inputs.parameters['program']}}", '{"Concat": ["python", "3"]}'])
def test_a_program_that_is_known_at_its_start_is_not_judged_before(first):
    assert lacking(first, "x") == []


def test_an_image_without_a_command_is_named():
    assert lacking(args=("--epochs", "1"), image="gcr.io/image") == [("missing command", "gcr.io/image")]


def test_containerized_python_is_named_by_its_image():
    assert lacking("python3", "-m", "kfp.dsl.executor_main", image="my-image") == [("containerized Python", "my-image")]


@pytest.mark.parametrize("argv", [("sh", "run.sh"), ("python3", "-u", "train.py"), ("bash", "/no/such/run.sh")])
def test_a_script_that_lies_in_the_image_is_named(argv):
    assert lacking(*argv) == [("file of the image", argv[-1])]


def test_a_script_that_is_here_or_is_given_is_not(tmp_path):
    (tmp_path / "run.sh").write_text("echo 1")

    assert lacking("sh", str(tmp_path / "run.sh")) == []
    assert lacking("sh", "{{$.inputs.artifacts['script'].path}}") == []


def test_a_module_that_is_not_here_is_named():
    assert lacking("python", "-m", "no_such_package.main") == [("Python module", "no_such_package")]
    assert lacking("python", "-m", "json.tool") == []
    assert lacking("python", "-m", "no_such_package.main", env={"PYTHONPATH": "/elsewhere"}) == []


def test_of_the_modules_of_another_python_nothing_is_said(tmp_path, monkeypatch):
    (tmp_path / "python9").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert lacking("python9", "-m", "no_such_package") == []


@pytest.mark.parametrize(
    ("argv", "packages"),
    [
        (("sh", "-c", "python3 -m pip install --quiet 'a==1' b && \"$0\""), "a==1, b"),
        (("pip", "install", "a==1"), "a==1"),
        (("python3", "-m", "pip", "install", "a"), "a"),
        (("bash", "-c", "apt-get update; apt-get -y install jq"), "jq"),
        (("sh", "-c", "apk add curl jq | cat"), "curl, jq"),
        (("sh", "-c", "pip install -r"), "pip install -r"),
    ],
)
def test_what_would_change_this_machine_is_named(argv, packages, tmp_path, monkeypatch):
    for name in ("pip", "bash", "sh"):
        (tmp_path / name).symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert lacking(*argv) == [("installation of packages", packages)]


def test_a_word_about_an_installation_is_none():
    assert lacking("python3", "-c", "raise SystemExit('pip install a')") == []


def test_what_the_shell_here_does_not_know_is_named(tmp_path, monkeypatch):
    shell = tmp_path / "sh"
    shell.write_text("#!/bin/sh\nexit 2\n")
    shell.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert lacking(str(shell), "-ec", "[[ a == a ]] && set -o pipefail") == [
        ("bash in sh", "[["),
        ("bash in sh", "pipefail"),
    ]
    assert lacking("sh", "-c", "echo '[['; echo pipefail") == []
