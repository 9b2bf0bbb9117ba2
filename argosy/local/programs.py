"""What container components start: the programs, files and modules that are in an image and not on this machine.

A script is only read as far as it is plain: what stands behind a condition may well be missing. What is not seen here
fails in its step.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.launcher.executor import search_path
from argosy.launcher.placeholders import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from argosy.spec.model import Executor

Lack: TypeAlias = tuple[str, str]
"""A construct of the table of refusals, and what was got."""

SHELLS: Final = ("sh", "bash", "dash", "ash", "zsh")
PYTHON: Final = re.compile(r"python[\d.]*")
INSTALLATION: Final = re.compile(
    r"\b(?:pip[\d.]*|conda|mamba|apt|apt-get|apk|yum|dnf|npm)\s+(?:-\S+\s+)*(?:install|add)\b(?P<what>[^|;&\n)]*)"
)
DIALECT: Final = {"[[": (r"(?:^|[\s;&|(])\[\[\s", "[[ a == a ]]"), "pipefail": (r"-\w*o\s+pipefail", "set -o pipefail")}
"""What some shells do not know: how a script shows it, and a line that fails in such a shell."""
# Behind these a program that is missing may be meant to be, or a word may be no program at all.
UNSURE: Final = re.compile(
    r"(?:^|\s)(?:if|case|while|until|for|function|eval|alias|source|trap)\s|\|\||<<|\(\)|PATH=|set \+"
)
# What a script may begin with that is no program: the words of POSIX shells.
SHELL_WORDS: Final = (
    ".", ":", "[", "[[", "{", "(", "!", "alias", "break", "case", "cd", "command", "continue", "do", "done", "echo",
    "else", "esac", "eval", "exec", "exit", "export", "false", "fi", "for", "function", "getopts", "hash", "if",
    "local", "printf", "pwd", "read", "readonly", "return", "select", "set", "shift", "shopt", "source", "test", "then",
    "time", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """What a shell or Python is told to run: a script's text, a file, or a module."""

    text: str = ""
    file: str = ""
    module: str = ""


def lacking_program(executor: Executor) -> Iterator[Lack]:
    """Yield what the program of a container needs and this machine does not have."""
    argv = (*executor.command, *executor.args)
    if not executor.command:
        yield "missing command", executor.image
    elif any("kfp.dsl.executor_main" in word for word in argv):
        yield "containerized Python", executor.image
    elif "{{" in argv[0] or argv[0].startswith(STRUCTURES):
        return
    elif not _is_here(argv[0]):
        yield "program", argv[0]
    else:
        yield from _lacking_start(argv, executor)


def _lacking_start(argv: Sequence[str], executor: Executor) -> Iterator[Lack]:
    start = started_by(argv)
    if packages := _installed_by(start.text) if start.text else _installed_by_itself(argv, start):
        yield "installation of packages", packages
    elif start.text:
        missing = [word for word in programs_of(start.text) if not _is_here(word)]
        yield from (("program", word) for word in dict.fromkeys(missing))
        for word, (pattern, probe) in DIALECT.items():
            if re.search(pattern, start.text) and not _knows(argv[0], probe):
                yield "bash in sh", word
    elif start.file and "{{" not in start.file and not (Path(start.file).is_absolute() and Path(start.file).exists()):
        yield "file of the image", start.file
    elif start.module and "PYTHONPATH" not in executor.env and not _has_module(argv[0], start.module):
        yield "Python module", start.module.partition(".")[0]


def started_by(argv: Sequence[str]) -> Start:
    """Return what an interpreter is told to run; an empty start for any other program."""
    name = Path(argv[0]).name
    if name in SHELLS:
        return _started_by_shell(iter(argv[1:]))
    return _started_by_python(iter(argv[1:])) if PYTHON.fullmatch(name) else Start()


def _started_by_shell(words: Iterator[str]) -> Start:
    is_text = False
    for word in words:
        if not word.startswith(("-", "+")):
            return Start(text=word) if is_text else Start(file=word)
        is_text = is_text or (re.fullmatch(r"-\w*c\w*", word) is not None)
        if word.endswith("o"):
            next(words, None)
    return Start()


def _started_by_python(words: Iterator[str]) -> Start:
    for word in words:
        if word == "-m":
            return Start(module=next(words, ""))
        if word == "-c":
            return Start()
        if not word.startswith("-"):
            return Start(file=word)
        if word in {"-W", "-X"}:
            next(words, None)
    return Start()


def programs_of(script: str) -> list[str]:
    """Return the words of a script that its shell would look for as programs; of one that branches, the first alone."""
    lexer = shlex.shlex(script.strip().replace("\\\n", " "), posix=True, punctuation_chars=";|&<>()\n")
    lexer.whitespace = " \t\r"
    try:
        words = list(lexer)
    except ValueError:
        return []
    found, begins = [], True
    for word in words:
        if begins and re.fullmatch(r"[\w.+-]+", word) and word not in SHELL_WORDS:
            found.append(word)
        begins = set(word) <= set(";|\n") or (begins and word == "(")
    if UNSURE.search(script):
        return found[:1] if found and words[0] == found[0] and "()" not in words else []
    return found


def _installed_by_itself(argv: Sequence[str], start: Start) -> str:
    """Return what a program installs that is told so by its arguments."""
    words = argv[list(argv).index("pip") :] if start.module == "pip" else [Path(argv[0]).name, *argv[1:]]
    return _installed_by(" ".join(words)) if INSTALLATION.match(" ".join(words)) else ""


def _installed_by(script: str) -> str:
    match = INSTALLATION.search(script)
    if match is None:
        return ""
    words = match["what"].replace("'", "").replace('"', "").split()
    return ", ".join(word for word in words if not word.startswith("-")) or match[0]


def _is_here(program: str) -> bool:
    return shutil.which(program, path=search_path()) is not None


def _has_module(program: str, module: str) -> bool:
    """Say whether a Python has a module; of another Python than this one it is not known."""
    found = shutil.which(program, path=search_path())
    if found is None or Path(found).parent != Path(sys.executable).parent or "{{" in module:
        return True
    return find_spec(module.partition(".")[0]) is not None


@cache
def _knows(shell: str, probe: str) -> bool:
    return subprocess.run([shell, "-c", probe], capture_output=True, check=False).returncode == 0
