"""The source closure of a step: its own code and every first-party module that code imports, transitively.

Sources enter with comments, docstrings and formatting removed, so that prose never re-runs a step and a changed
helper always does. Imports are found in the syntax tree wherever they stand, inside functions too.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.archives import with_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from argosy.launcher.stamps import Stamps

# The launcher's own modules stand behind the format version of the key instead.
LAUNCHER = ("argosy.launcher", "argosy.local", "argosy.kubeflow")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# Python 3.11 counts the depth of all trees that it builds at once in one place, and then finds that it miscounted.
PARSING = threading.Lock()
# kfp puts these before the source of every function it embeds.
KFP_PREAMBLE = ("import kfp", "from kfp import dsl", "from kfp.dsl import *", "from typing import *")


@dataclass(frozen=True)
class Source:
    """One parsed file: the digest of its normalised code and the modules it names."""

    digest: str
    imports: tuple[str, ...]


@dataclass(frozen=True)
class Closure:
    """The code of a step: first-party files (by path under their root) and third-party modules."""

    files: Mapping[str, str]
    paths: tuple[Path, ...]
    modules: frozenset[str]
    third_party: tuple[str, ...]


@dataclass(frozen=True)
class Roots:
    """Where first-party packages live: the team's project and the library itself."""

    project: Path
    library: Path = Path(__file__).resolve().parents[2]

    def find(self, module: str) -> Path | None:
        """Return the file of a first-party module, or None."""
        top = module.split(".", 1)[0]
        root = self.library if top == "argosy" else self.project
        stem = root.joinpath(*module.split("."))
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                return path
        return None

    def name(self, path: Path) -> str:
        """Return a file's name in keys and messages: its path under the root it lives in."""
        root = self.project if path.is_relative_to(self.project) else self.library
        return path.relative_to(root).as_posix()


def source_closure(code: str, roots: Roots, stamps: Stamps) -> Closure:
    """Collect the closure of embedded source code.

    Args:
        code: Python source, as a compiled pipeline embeds it.
        roots: Where first-party modules are looked up.
        stamps: The table that remembers parsed files by their stat.

    """
    files: dict[str, str] = {}
    paths: list[Path] = []
    modules: set[str] = set()
    third_party: set[str] = set()
    pending = list(parse_source(code, "<embedded>").imports)
    while pending:
        module = pending.pop()
        if module in modules or is_launcher(module):
            continue
        path = roots.find(module)
        if path is None:
            third_party.add(module)
            continue
        modules.add(module)
        source = read_source(path, module, stamps)
        files[roots.name(path)] = source.digest
        paths.append(path)
        pending.extend(source.imports)
    first_party = {module.split(".", 1)[0] for module in modules}
    known = {module for module in third_party if _is_third_party(module, first_party)}
    return Closure(files, tuple(sorted(paths)), frozenset(modules), tuple(sorted(known)))


def read_source(path: Path, module: str, stamps: Stamps) -> Source:
    """Parse a file, or recall what it was when its stat was the same.

    Raises:
        Mistake: The file is not valid Python.

    """
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]

    def parse() -> list[Any]:
        source = parse_source(path.read_text(encoding="utf-8"), str(path), package)
        return [source.digest, source.imports]

    # Syntax trees differ between minor versions of Python, and relative imports between packages.
    digest, imports = stamps.fact(f"source {PYTHON} {package}", path, parse)
    return Source(digest, tuple(imports))


def parse_source(code: str, name: str, package: str = "") -> Source:
    """Parse code into the digest of its normalised form and the modules it imports.

    Raises:
        Mistake: The code is not valid Python.

    """
    try:
        return _parsed(code, package)
    except SyntaxError as error:
        raise Mistake(f"{name}: line {error.lineno}: {error.msg}; a step's code has to be valid Python") from error


# The rounds of a loop have one source, and a step's is asked for more than once.
@lru_cache(maxsize=256)
def _parsed(code: str, package: str) -> Source:
    with PARSING:
        tree = ast.parse(code)
    return Source(normal_digest(tree), tuple(sorted(set(_imports(tree, package)))))


def normal_digest(tree: ast.Module) -> str:
    """Digest a module without docstrings, positions and the preamble that kfp writes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = _without_docstring(node.body)
    tree.body = with_digests([node for node in tree.body if ast.unparse(node) not in KFP_PREAMBLE])
    return "sha256:" + hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def is_launcher(module: str) -> bool:
    """Say whether a module belongs to the launcher rather than to the code of steps."""
    return module.startswith(tuple(f"{name}." for name in LAUNCHER)) or module in LAUNCHER


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] or [ast.Pass()] if is_docstring else body


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield every module that may be imported, with the packages above it."""
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            # `from a import b` may import the module a.b; the look-up decides which of these exist.
            for name in (base, *(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")):
                yield from _with_parents(name)


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the branches that only type checkers read."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        type_checking = isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        children: Iterable[ast.AST] = node.orelse if type_checking else ast.iter_child_nodes(node)  # type: ignore[attr-defined]
        pending.extend(children)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])


def _is_third_party(module: str, first_party: set[str]) -> bool:
    top = module.split(".", 1)[0]
    return top not in sys.stdlib_module_names and top not in first_party and top not in {"", "kfp"}
