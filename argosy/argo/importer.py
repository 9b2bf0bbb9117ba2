"""Container templates of importers: the launcher alone, which brings what lies outside into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.argo.unsupported import refusal
from argosy.launcher.outside import is_reached, local_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import Importer, JsonValue, Task


def importing(task: Task, importer: Importer) -> Mapping[str, JsonValue]:
    """Return what the pod of an importer is told to import.

    Raises:
        Unsupported: No pod can reach its URI, or it asks for a volume that steps share.

    """
    place = f"tasks.{task.name}"
    if importer.download_to_workspace:
        raise refusal(f"{place}.downloadToWorkspace", "workspace")
    is_known = importer.uri_input is None
    if is_known and (local_path(importer.uri) is not None or not is_reached(importer.uri)):
        raise refusal(place, "URI of an importer", importer.uri)
    return {"uri": importer.uri, "input": importer.uri_input, "metadata": dict(importer.metadata)}
