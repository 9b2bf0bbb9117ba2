import ast
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.launcher.closure import Roots, is_launcher, normal_digest, parse_source, read_source, source_closure
from argosy.launcher.stamps import Stamps

HELPERS = {
    "pkg/__init__.py": "",
    "pkg/shell.py": "from pkg.direct import f\n",
    "pkg/direct.py": "import pkg.deep\ndef f(): return pkg.deep.g()\n",
    "pkg/deep.py": "def g(): return 1\n",
    "pkg/unused.py": "x = 1\n",
    "pkg/sub/__init__.py": "from . import leaf\n",
    "pkg/sub/leaf.py": "from ..deep import g\nfrom .other import h\n",
    "pkg/sub/other.py": "h = 2\n",
}


class Files:
    """A project of Python files whose closures are asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.stamps = Stamps(folder / ".argosy" / "stamps.sqlite")
        for name, text in HELPERS.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def closure(self, code):
        return source_closure(textwrap.dedent(code), Roots(self.folder), self.stamps)

    def names(self, code):
        return set(self.closure(code).files)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def digest(code):
    return normal_digest(ast.parse(textwrap.dedent(code)))


PLAIN = """
import os

class A:
    x: int = 1

    def f(self, a, *, b=2):
        return {"a": a, 'b': [b, os.sep]}

async def g():
    return f"{A().f(1)!r:>10}"
"""
PROSE = """
'''A module.'''
# A comment.
import os


class A:
    '''A class.'''

    x: int = 1  # one

    def f(
        self,
        a,
        *,
        b=2,
    ):
        \"\"\"A function.\"\"\"

        return { 'a': a, "b": [ b, (os.sep) ] }


async def g():
    "Another."
    return f'{A().f(1)!r:>10}'
"""


def test_comments_docstrings_and_formatting_change_nothing():
    assert digest(PROSE) == digest(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"), [("b=2", "b=3"), ('"a": a', '"a": b'), ("x: int", "y: int"), (":>10", ":>11"), ("async def", "def")]
)
def test_any_edit_of_the_code_changes_its_digest(old, new):
    assert digest(PLAIN.replace(old, new)) != digest(PLAIN)


def test_a_text_that_is_no_docstring_is_code():
    assert digest("x = 1\n'text'\n") != digest("x = 1\n'other'\n")


def test_a_function_of_only_a_docstring_equals_one_of_pass():
    assert digest("def f():\n    'Do nothing.'\n") == digest("def f():\n    pass\n")


def test_the_preamble_that_kfp_writes_is_left_out():
    preamble = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"

    assert digest(preamble + PLAIN) == digest(PLAIN)
    assert parse_source(preamble + "x = 1", "step").digest == parse_source("x = 1", "step").digest


EXPRESSIONS = st.recursive(
    st.integers(0, 99).map(str) | st.sampled_from(["a", "b", "'text'", '"it\'s"', "None", "0.5", "(1, 2)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "*", "and", "==", "if a else"]), inner).map(" ".join),
        inner.map("[{}]".format),
        inner.map("f({}, key=b)".format),
        inner.map("(lambda a: {})".format),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    EXPRESSIONS.map("a = {}".format),
    EXPRESSIONS.map("assert {}".format),
    EXPRESSIONS.map("if a:\n    b = {}\nelse:\n    pass".format),
    EXPRESSIONS.map("def f(a, b=1):\n    'Docstring.'\n    return {}".format),
    EXPRESSIONS.map("for a in [{}]:\n    continue".format),
    EXPRESSIONS.map("class C:\n    c = {}".format),
)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=4).map("\n".join)


@given(PROGRAMS)
def test_no_reformatting_changes_a_digest(code):
    assert digest(ast.unparse(ast.parse(code))) == digest(code)


@given(PROGRAMS, st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_no_comment_or_docstring_changes_a_digest(code, prose):
    commented = "\n".join(f"{line}  # {prose}" for line in code.splitlines())

    assert digest(f"{prose!r}\n{commented}\n# {prose}\n") == digest(f"'Docstring.'\n{code}")


@given(PROGRAMS, PROGRAMS)
def test_two_programs_share_a_digest_only_if_they_are_the_same_code(one, two):
    def bare(code):
        return ast.unparse(ast.parse(code.replace("    'Docstring.'\n", "")))

    assert (digest(one) == digest(two)) == (ast.dump(ast.parse(bare(one))) == ast.dump(ast.parse(bare(two))))


def test_imports_are_followed_transitively(files):
    assert files.names("from pkg.shell import f") == {
        "pkg/__init__.py",
        "pkg/shell.py",
        "pkg/direct.py",
        "pkg/deep.py",
    }


def test_an_edit_of_a_deep_helper_changes_the_closure(files):
    before = files.closure("from pkg.shell import f").files

    files.write("pkg/deep.py", "def g(): return 2\n")

    after = files.closure("from pkg.shell import f").files
    assert {name for name in after if after[name] != before[name]} == {"pkg/deep.py"}


def test_an_import_inside_a_function_counts(files):
    assert "pkg/unused.py" in files.names("def step():\n    if x:\n        from pkg import unused\n")


def test_importing_a_name_from_a_package_may_import_a_module(files):
    assert "pkg/deep.py" in files.names("from pkg import deep as d, missing")


def test_importing_everything_counts_the_module(files):
    assert files.names("from pkg.deep import *") == {"pkg/__init__.py", "pkg/deep.py"}


def test_relative_imports_are_resolved(files):
    assert files.names("import pkg.sub") == {
        "pkg/__init__.py",
        "pkg/deep.py",
        "pkg/sub/__init__.py",
        "pkg/sub/leaf.py",
        "pkg/sub/other.py",
    }


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_are_not_followed(files, test):
    code = f"import typing\nif {test}:\n    import pkg.unused\nelse:\n    import pkg.deep\n"

    assert files.names(code) == {"pkg/__init__.py", "pkg/deep.py"}


@pytest.mark.parametrize("test", ["not TYPE_CHECKING", "x or TYPE_CHECKING"])
def test_imports_that_may_run_are_followed(files, test):
    assert "pkg/deep.py" in files.names(f"if {test}:\n    import pkg.deep\n")


def test_modules_that_import_each_other_end(files):
    files.write("pkg/one.py", "import pkg.two\n")
    files.write("pkg/two.py", "import pkg.one\n")

    assert files.names("import pkg.one") == {"pkg/__init__.py", "pkg/one.py", "pkg/two.py"}


def test_folders_without_an_init_are_packages_too(files):
    files.write("space/inner/module.py", "import numpy\nVALUE = 1\n")

    closure = files.closure("from space.inner.module import VALUE")

    assert set(closure.files) == {"space/inner/module.py"}
    assert closure.third_party == ("numpy",)


def test_third_party_modules_are_named_and_the_standard_library_and_kfp_are_not(files):
    closure = files.closure("import os.path, json, numpy as np, kfp\nfrom pyarrow import compute\nfrom kfp import dsl")

    assert closure.third_party == ("numpy", "pyarrow", "pyarrow.compute")


def test_the_library_itself_is_first_party_wherever_the_project_lies(files):
    assert {"argosy/__init__.py", "argosy/errors.py"} <= files.names("from argosy.errors import Mistake")


def test_launcher_modules_are_exempt(files):
    files.write("pkg/direct.py", "from argosy.launcher.store import open_store\nimport argosy.local.runner\n")

    assert files.names("import pkg.direct") == {"argosy/__init__.py", "pkg/__init__.py", "pkg/direct.py"}
    assert is_launcher("argosy.launcher")
    assert not is_launcher("argosy.launchers")


def test_code_that_does_not_parse_is_a_mistake_with_its_place(files):
    files.write("pkg/deep.py", "x = 1\ndef f(:\n")

    with pytest.raises(Mistake, match=r"pkg/deep\.py: line 2: .*has to be valid Python"):
        files.closure("import pkg.deep")


def test_a_file_read_outside_its_package_first_keeps_its_relative_imports(files):
    path = files.folder / "pkg" / "sub" / "leaf.py"
    read_source(path, "leaf", files.stamps)

    assert "pkg.sub.other" in read_source(path, "pkg.sub.leaf", files.stamps).imports


def test_code_may_be_parsed_in_several_threads_at_once():
    code = "x = " + "(" * 60 + "1" + ")" * 60 + "\n" + "def f(a, b):\n    return [a + b for _ in range(3)]\n" * 40

    with ThreadPoolExecutor(8) as pool:
        digests = {source.digest for source in pool.map(lambda _: parse_source(code, "code"), range(24))}

    assert len(digests) == 1
