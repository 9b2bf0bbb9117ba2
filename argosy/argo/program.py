"""Programs in images of their own: a sidecar runs them, and the launcher beside it does everything else.

The launcher keys the step, looks it up, lays out its inputs, commits what the program left. Only if the program has to
run does it give it to the sidecar, which ends by itself in any case. So retries, exit codes and claims are those of any
other pod. The two share the folder at `/tmp`, and so that they may, a user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.pod import RESTRICTED
from argosy.launcher.beside import KEEPER, NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "/tmp/program"  # noqa: S108  # a folder of the pod's own
NOBODY: Final = 65532
"""The user of a program whose image says none, or root; its number is that of `nonroot` in distroless images."""
REQUESTS: Final = {"cpu": "100m", "memory": "256Mi"}
"""What the launcher asks for, beside what the program does."""
OF_THE_PROGRAM: Final = ("resources", "imagePullPolicy")


def beside(container: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return the fields of a template that runs a container's program in a sidecar.

    Args:
        container: What would run the launcher in the program's own image.
        image: One that holds the launcher.

    """
    user = {**RESTRICTED, "runAsUser": NOBODY, **container["securityContext"]}
    kept = {name: value for name, value in container.items() if name not in OF_THE_PROGRAM}
    mounts = [mount for mount in container["volumeMounts"] if mount["name"] == "tmp"]
    launcher = {
        **kept,
        "image": image,
        "args": [*container["args"], "--beside", FOLDER],
        "env": [entry for entry in container["env"] if "value" in entry],
        "resources": {"requests": dict(REQUESTS)},
        "securityContext": user,
        "volumeMounts": mounts,
    }
    program = {
        "name": NAME,
        "image": container["image"],
        "command": ["sh", "-c", KEEPER, FOLDER],
        **{name: container[name] for name in OF_THE_PROGRAM if name in container},
        "env": [entry for entry in container["env"] if not entry["name"].startswith("ARGOSY_")],
        "securityContext": user,
        "volumeMounts": container["volumeMounts"],
    }
    return {"container": launcher, "sidecars": [program]}
