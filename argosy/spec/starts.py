"""What comes before a task, gathered while groups are flattened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from argosy.spec.model import FieldOf, FinalStatus, FirstOf, Start, TaskOutput, Template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from argosy.spec.model import Condition, Pipeline, Source, Task


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What comes before a task: `hard` must have run, `soft` may have been skipped, `ended` may have failed too.

    Of each set in `one_of` one must have run; all of them are soft.
    """

    hard: frozenset[str] = frozenset()
    soft: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    one_of: frozenset[frozenset[str]] = frozenset()
    conditions: tuple[Condition, ...] = ()

    def joined(self, others: Iterable[Prerequisites]) -> Prerequisites:
        """Return these and all others together."""
        every = [self, *others]
        by_identity = {id(condition): condition for one in every for condition in one.conditions}
        conditions: list[Condition] = []
        for condition in by_identity.values():
            conditions += [] if condition in conditions else [condition]
        return Prerequisites(
            hard=frozenset().union(*(one.hard for one in every)),
            soft=frozenset().union(*(one.soft for one in every)),
            ended=frozenset().union(*(one.ended for one in every)),
            one_of=frozenset().union(*(one.one_of for one in every)),
            conditions=tuple(conditions),
        )

    def waiting_for(self, producers: Producers) -> Prerequisites:
        """Return these and what the sources of a task wait for.

        Where a failure is survived, so is that of a task whose output is taken: the input is then absent.
        """
        return replace(
            self,
            hard=self.hard | (producers.hard - self.ended),
            soft=self.soft | (producers.soft - self.ended),
            ended=self.ended | producers.ended,
            one_of=self.one_of | {choices for choices in producers.one_of if not choices <= self.ended},
        )

    def start(self) -> Start:
        """Return the form that plans hold."""
        tolerated, survived = self.soft - self.hard, self.ended - self.hard - self.soft
        return Start(
            after=tuple(sorted(self.hard | self.soft | self.ended)),
            tolerates=tuple(sorted(tolerated)),
            survives=tuple(sorted(survived)),
            conditions=self.conditions,
            one_of=tuple(sorted(tuple(sorted(choices)) for choices in self.one_of)),
        )


@dataclass(frozen=True, slots=True)
class Producers:
    """The tasks whose ends sources wait for; the words are those of `Prerequisites`."""

    hard: frozenset[str] = frozenset()
    soft: frozenset[str] = frozenset()
    ended: frozenset[str] = frozenset()
    one_of: frozenset[frozenset[str]] = frozenset()


def producers(sources: Iterable[Source]) -> Producers:
    """Return what sources wait for."""
    found = [_producers(source) for source in sources]
    return Producers(
        frozenset().union(*(one.hard for one in found)),
        frozenset().union(*(one.soft for one in found)),
        frozenset().union(*(one.ended for one in found)),
        frozenset().union(*(one.one_of for one in found)),
    )


def _producers(source: Source) -> Producers:
    match source:
        case TaskOutput(task):
            return Producers(hard=frozenset({task}))
        case Template(_, channels):
            return producers(channels.values())
        case FieldOf(inner):
            return _producers(inner)
        case FirstOf(sources):
            # All but one of them were skipped.
            every = producers(sources)
            choices = every.hard | every.soft
            return Producers(soft=choices, one_of=frozenset({choices}))
        case FinalStatus(_, tasks):
            return Producers(ended=frozenset(tasks))
    return Producers()


def upstream(task: Task, pipeline: Pipeline) -> tuple[str, ...]:
    """Return the tasks that a task waits for, those that the loops around it wait for included."""
    starts = [task.start, *(pipeline.loops[loop].start for loop in task.loops)]
    return tuple(dict.fromkeys(name for start in starts for name in start.after))
