"""List the feature views of a repository with their policy, how they were covered, and who reads them.

Nothing here imports Feast or reads a source: definitions come described, measurements from the documents of runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.features.definitions.checks import problems_of_view
from argosy.features.definitions.compile import rules_of
from argosy.features.definitions.schedule import duration_text, headroom, warnings_of_view
from argosy.features.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from argosy.features.rules import View


def check_definitions(found: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Say what is wrong with the described definitions of a repository, and what is allowed but short.

    Args:
        found: All services by name, and the views that none reads (`compile.describe_all`).

    """
    problems = [f"{line}, and no service reads it" for view in found["unread"] for line in problems_of_view(view)]
    warnings = []
    for name, service in found["services"].items():
        try:
            rules_of(service, name)
        except Mistake as error:
            problems += str(error).splitlines()
        else:
            lines = (line for view in service["views"] for line in warnings_of_view(view))
            warnings += [f"feature service {name!r}: {line}" for line in lines]
    return problems, warnings


def list_views(
    found: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], models: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """List each view once per service that reads it, as JSON values.

    Args:
        found: All services by name, described.
        runs: Documents of runs, newest first; each view takes what the first one that retrieved it measured.
        models: Each with its `names` and the `features` that its signature asks for.

    Raises:
        Mistake: The definitions are not sound.

    """
    models = list(models)
    listed = []
    for name, service in found["services"].items():
        rules = rules_of(service, name)
        listed += [_view(view, name, runs, models) for view in rules.views]
    return listed


def _view(
    view: View, service: str, runs: Sequence[Mapping[str, Any]], models: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Gather what is known of a view."""
    ttl_s = view.ttl_us / SECOND_US if view.ttl_us else None
    lag_s = None if view.serving_lag_us is None else view.serving_lag_us / SECOND_US
    names = {feature.name for feature in view.features} | {view.age_feature}
    return {
        "view": view.name,
        "service": service,
        "owner": view.owner or None,
        "group": view.group,
        "keys": view.keys,
        "online": view.online,
        "ttl_s": ttl_s,
        "availability": _availability(view),
        "on_expired": view.on_expired,
        "on_missing": view.on_missing,
        "max_lateness_s": view.max_lateness_s,
        "materialize_every_s": view.materialize_every_s,
        "run_budget_s": view.run_budget_s,
        "lag_s": lag_s,
        "headroom": round(headroom(ttl_s, lag_s), 4) if ttl_s and lag_s is not None else None,
        "min_coverage": view.min_coverage,
        "measured": _measured(view.name, runs),
        "models": [name for model in models if names & set(model["features"]) for name in model["names"]],
    }


def _availability(view: View) -> str:
    """Say from when on a row may be used."""
    if view.availability == "created":
        return f"created ({view.created})"
    later = f" + {duration_text(view.availability // SECOND_US)}" if view.availability else ""
    return f"{view.timestamp}{later}"


def _measured(view: str, runs: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return what the newest run that retrieved a view says of it; None where none did."""
    for run in runs:
        ages, coverage = (
            ((run.get("sections", {}).get(name) or {}).get("views") or {}).get(view, {})
            for name in ("ages", "coverage")
        )
        if ages or coverage:
            return {
                "run": run["run"],
                "coverage": coverage.get("coverage", ages.get("coverage")),
                "with_lag": coverage.get("with_lag"),
                "age_s": ages.get("age_s"),
                "newest": coverage.get("newest"),
            }
    return None
