"""What a component shell says of itself beyond its signature.

    @step(kind="fact", env=["MLFLOW_TRACKING_URI"], measurements=["version"], key=["model", "$REGISTRY"])
    @dsl.component(...)
    def register_model(model: Input[Model]) -> int: ...

The words travel as `ARGOSY_*` entries of the container's environment, which compilation keeps for every task.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from argosy.errors import Mistake
from argosy.spec.declaration import PREFIX, read_declaration, require_known_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from argosy.spec.model import Kind

Shell = TypeVar("Shell")


def step(
    *,
    kind: Kind = "step",
    reads: Sequence[str] = (),
    env: Sequence[str] = (),
    measurements: Sequence[str] = (),
    verdicts: Sequence[str] = (),
    key: Sequence[str] = (),
) -> Callable[[Shell], Shell]:
    """Return a decorator that writes a declaration into a component.

    The words are those of `argosy.spec.model.Declaration`.

    Raises:
        Mistake: What is decorated is no component with a container, or a name is not one of its own.

    """
    lists = {"reads": reads, "env": env, "measurements": measurements, "verdicts": verdicts, "key": key}
    entries = {PREFIX + word.upper(): json.dumps(list(names)) for word, names in lists.items() if names}
    if kind != "step":
        entries["ARGOSY_KIND"] = kind

    def declare(shell: Shell) -> Shell:
        spec: Any = getattr(shell, "component_spec", None)
        container = getattr(getattr(spec, "implementation", None), "container", None)
        if container is None:
            raise Mistake(f"@step: got {shell!r}; it stands above @dsl.component or @dsl.container_component")
        declaration = read_declaration(entries, f"@step on {spec.name}")
        require_known_names(declaration, spec.inputs or {}, spec.outputs or {}, place=f"@step on {spec.name}")
        container.env = {**(container.env or {}), **entries}
        return shell

    return declare
