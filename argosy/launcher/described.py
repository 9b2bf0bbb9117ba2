"""What a launcher in a pod is told of its component: as the word that stands in its command, and as a step."""

from __future__ import annotations

import json
import os
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from argosy.errors import Mistake
from argosy.launcher.attempt import TYPES
from argosy.launcher.canonical import unsubstituted_json
from argosy.launcher.step import OutputSlot, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from argosy.launcher.argo import Told
    from argosy.launcher.step import Input
    from argosy.launcher.wrapping import Wrapping

Described = TypeVar("Described", "Told", "Wrapping")
LIST: Final = "[]"
"""Behind a schema title: a list of artifacts of it."""
_FORMAT: Final = 1


def word_of(described: Told | Wrapping) -> str:
    """Return the word that stands in the command; what is as by default is left out."""
    plain = {each.name: _default(each) for each in fields(described)}
    told = {name: value for name, value in asdict(described).items() if value != plain[name]}
    return unsubstituted_json({"format": _FORMAT} | told)


def read_word(kind: type[Described], word: str, *, made: str) -> Described:
    """Read the word; `made` says what was made of the component, and how, for the message.

    Raises:
        Mistake: It is of another version of Argosy.

    """
    document = json.loads(word)
    if document.pop("format", None) != _FORMAT or not document.keys() <= {each.name for each in fields(kind)}:
        raise Mistake(f"this {made} by another version of Argosy than the image holds; compile it anew")
    told: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return kind(**told)


def step_of(told: Told | Wrapping, *, source: str, inputs: Iterable[tuple[str, Input]], cache: bool, salt: str) -> Step:
    """Return the step of a component in this pod; the variables that the component sets are the pod's."""
    return Step(
        name=told.component,
        source=source,
        function=told.function,
        packages=told.packages,
        image=told.image,
        argv=told.argv,
        kind=told.kind,
        env={name: os.environ.get(name, "") for name in told.env},
        reads=told.reads,
        declared_env=told.declared_env,
        measurements=frozenset(told.measurements),
        natural_key=told.natural_key,
        inputs=dict(inputs),
        outputs={name: _slot(kind) for name, kind in told.outputs.items()},
        cache=cache,
        salt=salt,
    )


def _slot(kind: str) -> OutputSlot:
    if kind in TYPES:
        return OutputSlot(kind, is_artifact=False)
    return OutputSlot(kind.removesuffix(LIST), is_artifact=True, is_list=kind.endswith(LIST))


def _default(each: Any) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default
