"""The sizes and names that keep a file readable at one sitting."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("argosy", "components", "pipelines", "feature_repo") for path in (ROOT / folder).rglob("*.py")
)
FORBIDDEN_MODULES = {"utils", "helpers", "common", "base", "core", "misc"}
FORBIDDEN_CLASS_ENDINGS = ("Manager", "Handler", "Processor")


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.fixture(params=SOURCES, ids=names(SOURCES))
def source(request: pytest.FixtureRequest) -> Path:
    return request.param


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def n_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_a_module_has_at_most_400_lines_and_a_name_that_says_something(source: Path):
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 400
    assert source.stem not in FORBIDDEN_MODULES


def test_a_function_has_at_most_50_lines(source: Path):
    tree = ast.parse(source.read_text(encoding="utf-8"))

    assert [f"{node.name}: {n_lines(node)}" for node in functions(tree) if n_lines(node) > 50] == []


def test_a_class_says_what_it_is(source: Path):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]

    assert [name for name in classes if name.endswith(FORBIDDEN_CLASS_ENDINGS)] == []


SHELLS = sorted(path for path in (ROOT / "components").glob("*.py"))


@pytest.mark.parametrize("path", SHELLS, ids=names(SHELLS))
def test_a_shell_is_a_docstring_and_at_most_8_statements(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))

    for shell in functions(tree):
        statements = [node for node in ast.walk(shell) if isinstance(node, ast.stmt)]
        # The definition itself and its docstring are statements too.
        assert ast.get_docstring(shell)
        assert len(statements) - 2 <= 8, shell.name


def test_an_import_of_the_command_line_costs_no_library_that_a_command_may_not_need():
    import subprocess
    import sys

    code = (
        "import sys; import argosy.cli, argosy.commands.run, argosy.commands.plan;"
        "print([name for name in ('kfp', 'feast', 'mlflow', 'pandas', 'numpy', 'pyarrow', 'duckdb', 'yaml', 'rich',"
        " 'jinja2', 'fastapi', 'uvicorn', 'pydantic', 'onnxruntime') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert answer.stdout.strip() == "[]"
