"""`argosy features`: the feature views of the project, and whether their definitions hold."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.errors import Mistake
from argosy.features.definitions.compile import describe_all
from argosy.features.definitions.listing import check_definitions, list_views
from argosy.features.definitions.schedule import duration_text
from argosy.features.definitions.stores import problems_of_repository
from argosy.features.online.connect import open_online
from argosy.features.online.metrics import render_marks
from argosy.launcher.artifacts import read_manifest
from argosy.launcher.refs import read_ref, ref_names
from argosy.local.records import list_runs
from argosy.project import online_url
from argosy.report.formats import DASH, plural, share, span
from argosy.session import open_session

if TYPE_CHECKING:
    from pathlib import Path

    from argosy.launcher.store import Store
    from argosy.session import Session

SIGNATURE = "signature.json"


def print_features(*, store: str | None, as_json: bool) -> None:
    """Print each feature view with its policy, what the newest run measured of it, and the models that read it."""
    session = open_session(store=store)
    models = known_models(session.store)
    views = list_views(describe_all(repository(session)), list_runs(session.store), models)
    if as_json:
        print_json({"views": views, "models": [{"model": each["model"], "names": each["names"]} for each in models]})
        return
    print_columns([HEADINGS, *map(_row, views)])
    for model in models:
        read = sorted({view["view"] for view in views if set(model["names"]) & set(view["models"])})
        what = "all of them" if len(read) == len({view["view"] for view in views}) else ", ".join(read) or "none"
        print_line(f"{', '.join(model['names'])} ({_short(model['model'])}) reads {what}")
    print_line("`argosy features check` judges the definitions; `argosy report` draws ages against time to live")


def check_features(*, store: str | None, as_json: bool) -> int:
    """Print what is wrong with the definitions, and what is short in them; return 2 if anything is wrong."""
    folder = repository(open_session(store=store))
    found = describe_all(folder)
    read = [view for service in found["services"].values() for view in service["views"]]
    problems, warnings = check_definitions(found)
    precomputed = any(service["precompute_online"] for service in found["services"].values())
    problems = [*problems_of_repository(folder, [*read, *found["unread"]], precompute_online=precomputed), *problems]
    if as_json:
        print_json({"services": list(found["services"]), "problems": problems, "warnings": warnings})
    else:
        for line in [*problems, *(f"warning: {line}" for line in warnings)]:
            print_line(line)
        views = {view["name"] for view in read}
        counted = [
            plural(len(views), "view"),
            plural(len(found["services"]), "service"),
            plural(len(problems), "problem"),
        ]
        print_line("{} of {}, {}".format(*counted))
    return 2 if problems else 0


def print_metrics(online: str | None) -> None:
    """Print the marks of the online store in Prometheus' text format.

    Raises:
        Outage: The store does not answer.

    """
    settings = open_session().settings
    with closing(open_online(online_url(online or settings.online, settings.root))) as store:
        sys.stdout.write(render_marks(store.marks()))


def known_models(store: Store) -> list[dict[str, Any]]:
    """List the models that a ref names or that are registered: digest, names, and the features they ask for."""
    names: dict[str, list[str]] = {}
    for ref in ref_names(store):
        if target := read_ref(store, ref).target:
            names.setdefault(target, []).append(ref)
    for path in store.paths("effects"):
        entry = store.read_json(path) or {}
        key, outputs = entry.get("key"), entry.get("outputs") or {}
        if entry.get("state") == "done" and isinstance(key, dict) and "version" in outputs and "model" in key:
            names.setdefault(str(key["model"]), []).append(f"{key.get('name')} version {outputs['version']['value']}")
    return [{"model": model, "names": known, "features": _features(store, model)} for model, known in names.items()]


def _features(store: Store, model: str) -> list[str]:
    """Return the features of a model's signature; none where the store does not hold it whole."""
    if store.read_blob(model.removeprefix("sha256:")) is None:
        return []
    signature = read_manifest(store, model)["files"].get(SIGNATURE)
    text = store.read_blob(signature["sha256"]) if signature else None
    return [str(feature["name"]) for feature in json.loads(text)["features"]] if text else []


def repository(session: Session) -> Path:
    """Return the project's folder of definitions."""
    folder = session.settings.root / "feature_repo"
    if not folder.is_dir():
        raise Mistake(f"{folder}: there is no such folder; a project keeps its Feast definitions in it")
    return folder


HEADINGS = (
    "view", "service", "owner", "keys", "ttl", "counts from", "schedule", "lag", "headroom", "covered", "with lag",
    "least", "age p50", "p99", "newest row",
)  # fmt: skip


def _row(view: dict[str, Any]) -> tuple[str, ...]:
    """Write a view as a row of text."""
    measured = view["measured"] or {}
    ages, newest = measured.get("age_s") or {}, measured.get("newest")
    spans = [view[name] for name in ("max_lateness_s", "materialize_every_s", "run_budget_s")]
    return (
        view["view"],
        view["service"],
        view["owner"] or DASH,
        ", ".join(view["keys"]),
        span(view["ttl_s"]) if view["ttl_s"] else "forever",
        view["availability"],
        " + ".join(map(duration_text, spans)) if None not in spans else DASH,
        span(view["lag_s"]),
        share(view["headroom"], 0),
        share(measured.get("coverage"), 1),
        share(measured.get("with_lag"), 1),
        share(view["min_coverage"], 0),
        span(ages.get("p50")),
        span(ages.get("p99")),
        f"{datetime.fromisoformat(newest):%Y-%m-%d %H:%M} UTC" if newest else DASH,
    )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
