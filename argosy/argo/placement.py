"""Where a pod may run: node selector, tolerations, affinities, as fields of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import CONSTRUCT
from argosy.argo.unsupported import refusal
from argosy.argo.volumes import entries
from argosy.launcher.canonical import normal_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from argosy.spec.model import Task

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def placement(task: Task) -> dict[str, Any]:
    """Return the fields of a template that place its pods.

    Raises:
        Unsupported: One of them comes up in the run.

    """
    found: dict[str, Any] = {}
    if labels := _node_selector(task):
        found["nodeSelector"] = labels
    if tolerations := [each for entry in entries(task, "tolerations") for each in _tolerations(entry, task)]:
        found["tolerations"] = tolerations
    affinity = {"nodeAffinity": _node_affinity(task), **_pod_affinities(task)}
    if affinity := {kind: terms for kind, terms in affinity.items() if terms}:
        found["affinity"] = affinity
    return found


def _node_selector(task: Task) -> dict[str, str]:
    selector: Any = task.platform.get("nodeSelector") or {}
    if "nodeSelectorJson" in selector:
        return dict(_constant(selector["nodeSelectorJson"], task, "nodeSelector"))
    return dict(selector.get("labels", {}))


def _tolerations(entry: Mapping[str, Any], task: Task) -> Iterable[dict[str, Any]]:
    if "tolerationJson" in entry:
        given = _constant(entry["tolerationJson"], task, "tolerations")
        return given if isinstance(given, list) else [given]
    return [{key: int(value) if key == "tolerationSeconds" else value for key, value in entry.items()}]


def _node_affinity(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries(task, "nodeAffinity"):
        if "nodeAffinityJson" in entry:
            found |= _constant(entry["nodeAffinityJson"], task, "nodeAffinity")
            continue
        term = {key: entry[key] for key in ("matchExpressions", "matchFields") if entry.get(key)}
        if weight := entry.get("weight"):
            found.setdefault(PREFERRED, []).append({"weight": int(weight), "preference": term})
        else:
            found.setdefault(REQUIRED, {"nodeSelectorTerms": []})["nodeSelectorTerms"].append(term)
    return found


def _pod_affinities(task: Task) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries(task, "podAffinity"):
        kind = found.setdefault("podAntiAffinity" if entry.get("anti") else "podAffinity", {})
        term = {"topologyKey": entry["topologyKey"], "labelSelector": _selector(entry, "Pod")}
        if entry.get("namespaces"):
            term["namespaces"] = entry["namespaces"]
        if selector := _selector(entry, "Namespace"):
            term["namespaceSelector"] = selector
        if weight := entry.get("weight"):
            kind.setdefault(PREFERRED, []).append({"weight": int(weight), "podAffinityTerm": term})
        else:
            kind.setdefault(REQUIRED, []).append(term)
    return found


def _selector(entry: Mapping[str, Any], of: str) -> dict[str, Any]:
    found = {"matchExpressions": entry.get(f"match{of}Expressions"), "matchLabels": entry.get(f"match{of}Labels")}
    return {field: value for field, value in found.items() if value}


def _constant(given: Mapping[str, Any], task: Task, place: str) -> Any:
    constant = (given.get("runtimeValue") or {}).get("constant")
    if not constant or "{{" in str(constant):
        raise refusal(f"tasks.{task.name}.{place}", CONSTRUCT)
    return normal_json(constant)
