"""What can go wrong, by what the caller should do about it.

    ArgosyError
    ├── Mistake       what was asked cannot be done as asked: exit code 2, never retried
    │   ├── BadInput      data that breaks its contract in a way no verdict can carry
    │   └── Unsupported   a construct that the target cannot run: place, reason, what to write instead
    ├── Refused       a verdict said no where a value could not: exit code 3
    ├── Outage        something outside did not answer: exit code 75, worth retrying
    └── StepFailed    the code of a step raised or exited: exit code 1

A *verdict* (a gate not met, data rejected, a held digest) is a value with reasons, not an exception.
"""

from __future__ import annotations


class ArgosyError(Exception):
    """An error with a message for people; `exit_code` is what the process ends with."""

    exit_code = 1


class Mistake(ArgosyError):
    """A mistake in what was asked: where, what was got, what is allowed, what to do."""

    exit_code = 2


class BadInput(Mistake):
    """Data or a file that cannot be read as what it should be."""


class Unsupported(Mistake):
    """A construct that this target does not run."""


class Refused(ArgosyError):
    """A verdict that ends the command: a held digest, a superseded promotion."""

    exit_code = 3


class Outage(ArgosyError):
    """A store, registry or server that did not answer; the same command may work later."""

    exit_code = 75


class StepFailed(ArgosyError):
    """The code of a step ended with an exception or an exit code of its own."""

    exit_code = 1
