"""A plan as text, for a container that runs one: YAML that a person can read, with sources as they were written.

Each value of the model is a mapping with its class as tag: `!TaskOutput {task: train, output: model}`. What is as by
default is left out.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import yaml

from argosy.errors import Mistake
from argosy.spec import model
from argosy.spec.model import ABSENT, Pipeline
from argosy.spec.yaml_dumper import ONE_LINE, BlockDumper
from argosy.spec.yaml_loader import StrictLoader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON_FIELDS: Final = frozenset({"value", "default", "platform", "metadata"})
"""What holds any JSON value; lists elsewhere are tuples of the model."""
CLASSES: Final[Mapping[str, Any]] = {
    name: each for name, each in vars(model).items() if isinstance(each, type) and dataclasses.is_dataclass(each)
}


def plan_text(pipeline: Pipeline) -> str:
    """Return a plan as text."""
    return yaml.dump(pipeline, Dumper=_Dumper, sort_keys=False, width=ONE_LINE, allow_unicode=True)


def read_plan(text: str) -> Pipeline:
    """Read what `plan_text` wrote.

    Raises:
        Mistake: It was written by another version of Argosy.

    """
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader, with the model's classes beside
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise Mistake(f"this plan was made by another version of Argosy than the image holds: {error}") from error
    if not isinstance(found, Pipeline):
        raise Mistake(f"this is no plan, but {type(found).__name__}; compile the pipeline anew")
    return found


class _Dumper(BlockDumper):
    pass


class _Loader(StrictLoader):
    pass


def _represent(dumper: Any, value: Any) -> Any:
    return dumper.represent_mapping(f"!{type(value).__name__}", dict(_told(value)))


def _told(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a value that are not as by default, tuples as lists."""
    for field in dataclasses.fields(value):
        told = getattr(value, field.name)
        factory = field.default_factory
        usual = field.default if factory is dataclasses.MISSING else factory()
        if told is not ABSENT and told != usual:
            yield field.name, _listed(told)


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


def _construct(loader: Any, name: str, node: yaml.MappingNode) -> Any:
    given = loader.construct_mapping(node, deep=True)
    told = {field: each if field in JSON_FIELDS else _tupled(each) for field, each in given.items()}
    return CLASSES[name](**told)


def _tupled(value: Any) -> Any:
    return tuple(_tupled(each) for each in value) if isinstance(value, list) else value


for each in CLASSES.values():
    _Dumper.add_representer(each, _represent)
_Loader.add_multi_constructor("!", _construct)
