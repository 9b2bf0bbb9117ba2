"""Prints what each step of the catalogue is keyed by, inputs left out; a checkout and a pod run this same text."""

import json
import sys

from argosy.launcher.key import step_key
from argosy.launcher.step import Step
from argosy.project import catalogue
from argosy.session import load_pipeline, open_session


def key_documents():
    """Return the documents, by pipeline and task."""
    session = open_session()
    found = {}
    for name in catalogue(session.settings):
        for task in load_pipeline(name, session).tasks:
            executor, declared = task.component.executor, task.component.declaration
            step = Step(
                name=task.name,
                source=executor.source,
                function=executor.function,
                packages=executor.packages,
                env=executor.env,
                reads=declared.reads,
                declared_env=declared.env,
            )
            found[f"{name}/{task.name}"] = dict(step_key(step, session.project).document)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(key_documents()))
