"""What stands in front of a container's own command where the launcher runs in its pod.

    python3 -m argosy.launcher.pod --step {...} --executor_input {{$}} -- <the container's own command and args>

Kubeflow tells a pod the values of its inputs and where its outputs go, but not their types; those stand in the word
after `--step`. Hidden parameters, whose names begin with `argosy--`, carry what differs between tasks.

Placeholders inside values are set aside, `{argosy{name}}`, and filled in by the pod: Kubeflow would put the text of an
object into JSON text without quoting it, and `kfp.local` writes 3 as `3.0`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from argosy.launcher.described import read_word, word_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from argosy.launcher.step import Kind

LAUNCH: Final = ("python3", "-m", "argosy.launcher.pod")
HIDDEN: Final = "argosy--"
IDENTITY: Final = HIDDEN + "of--"
"""Before the name of a measurement: what stands for it in keys, (producer's key, output name), as JSON."""
CACHING: Final = HIDDEN + "caching"
"""The caching options that the author gave a task, as JSON; not given where they are kfp's own default."""
DIGEST_ENTRY: Final = "argosy_digest"
IDENTITY_ENTRY: Final = "argosy_identity"
"""Metadata of every artifact that a launcher hands to Kubeflow: its digest and, of a measurement, its identity."""
PLACEHOLDER: Final = re.compile(r"""\{\{\$\.inputs\.parameters\[(['"])(?P<name>.+?)\1\]\}\}""")
ASIDE: Final = re.compile(r"\{argosy\{(?P<name>.+?)\}\}")
_OWN_WORDS: Final = 8


@dataclass(frozen=True)
class Wrapping:
    """What the launcher is told of a component beyond what Kubeflow tells.

    Attributes:
        source_at: Where in the container's own command the source stands; None for a program.
        argv: A program with its placeholders, before Kubeflow fills them in.
        inputs: Types by name: a parameter's type, an artifact's schema title, that with `[]` for a list of them.
        outputs: As `inputs`.
        env: Names of the variables that the component sets.
        lock: The file that pins third-party versions, relative to the project.

    """

    component: str
    function: str = ""
    source_at: int | None = None
    packages: tuple[str, ...] = ()
    image: str = ""
    argv: tuple[str, ...] = ()
    kind: Kind = "step"
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    declared_env: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    natural_key: tuple[str, ...] = ()
    lock: str | None = None

    def to_text(self) -> str:
        """Return the word that stands in the command; what is as by default is left out."""
        return word_of(self)

    @staticmethod
    def from_text(text: str) -> Wrapping:
        """Read the word.

        Raises:
            Mistake: It is of another version of Argosy.

        """
        return read_word(Wrapping, text, made="pipeline was wrapped")


def set_aside(value: Any) -> Any:
    """Return a JSON value in whose texts every placeholder for a parameter is set aside."""
    return _in_texts(value, lambda text: PLACEHOLDER.sub(lambda match: f"{{argosy{{{match['name']}}}}}", text))


def put_back(value: Any) -> Any:
    """Return a JSON value with its placeholders as its author had them."""
    return _in_texts(value, lambda text: ASIDE.sub(lambda match: _placeholder(match["name"]), text))


def names_aside(value: Any) -> list[str]:
    """Return the names of the parameters whose placeholders are set aside in a value, sorted."""
    found: list[str] = []

    def note(text: str) -> str:
        found.extend(match["name"] for match in ASIDE.finditer(text))
        return text

    _in_texts(value, note)
    return sorted(set(found))


def fill_in(value: Any, texts: Mapping[str, str]) -> Any:
    """Return a JSON value with a text for every placeholder that was set aside."""
    return _in_texts(value, lambda text: ASIDE.sub(lambda match: texts[match["name"]], text))


def _in_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_in_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {change(name): _in_texts(item, change) for name, item in value.items()}
    return value


def _placeholder(name: str) -> str:
    return f"{{{{$.inputs.parameters['{name}']}}}}"


def wrapped_command(wrapping: Wrapping, command: Sequence[str]) -> list[str]:
    """Return a command with the launcher in front of it."""
    return [*LAUNCH, "--step", wrapping.to_text(), "--executor_input", "{{$}}", "--", *command]


def is_wrapped(command: object) -> bool:
    """Say whether the launcher stands in front of what stands where a spec has a command."""
    return isinstance(command, list) and tuple(command[: len(LAUNCH)]) == LAUNCH


def own_command(command: Sequence[str]) -> list[str]:
    """Return what stands behind the launcher."""
    return list(command[_OWN_WORDS:])
