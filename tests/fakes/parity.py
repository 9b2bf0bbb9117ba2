"""A view's cells as of one instant, offline and online, so that they can be compared one by one.

A cell is status, value and age in seconds, value and age in the precision of a frame's columns.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from argosy.features.online.rows import OnlineRow, OnlineView
from argosy.features.visibility import judge
from tests.fakes.features import a_request, retrieve_rows, rules_with, seconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def instant(micros):
    """Return microseconds since 1970 as a datetime in UTC."""
    return EPOCH + micros * MICROSECOND


def online_view(view):
    """Return what an online store has to know of a view of the rules."""
    fields = {feature.field: feature.dtype for feature in view.features}
    return OnlineView(view.name, tuple(view.keys), tuple(view.key_types), fields)


def online_row(view, row):
    """Return a source row as it is written online."""
    created = row[view.created] if view.created else None
    values = {feature.field: row[feature.field] for feature in view.features}
    return OnlineRow(tuple(row[key] for key in view.keys), row[view.timestamp], created, values)


def offline_cells(folder, view, rows, entities, at):
    """Retrieve a view's first feature for each entity at an instant."""
    requests = [
        a_request(id=f"r{number:06}", t0=at, **dict(zip(view.keys, key, strict=True)))
        for number, key in enumerate(entities)
    ]
    made, _ = retrieve_rows(folder, rules_with(view), requests={"p": requests}, sources={view.source: rows})
    name = view.features[0].name
    return [(row[f"{view.name}__status"], row[name], row[f"{view.name}__age_s"]) for row in made["p"]]


def engine_cells(store, view, entities, at):
    """Read the same from an online store, and judge it."""
    described, field = online_view(view), view.features[0].field
    return [
        cell(view, row and row.event_us, row and row.values[field], at)
        for row in store.read([(described, key) for key in entities])
    ]


def cell(view, event, value, at):
    """Judge a row as the server does."""
    status = judge(event, at, view.ttl_us, [value])
    age = None if status == "NOT_FOUND" else seconds(at - event)
    return status, float(np.float32(value)) if status == "PRESENT" else None, age


def feast_cells(store, view, entities, at):
    """Ask Feast for the same."""
    name = f"{view.name}:{view.features[0].field}"
    asked = [dict(zip(view.keys, key, strict=True)) for key in entities]
    return response_cells(store.get_online_features([name], asked).proto, at)


def response_cells(proto, at):
    """Read the last feature of Feast's answer."""
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

    vector, cells = proto.results[-1], []
    for value, status, event in zip(vector.values, vector.statuses, vector.event_timestamps, strict=True):
        kind = value.WhichOneof("val")
        age = at - (event.seconds * 1_000_000 + event.nanos // 1_000)
        found = FieldStatus.Name(status)
        shown = None if kind is None else float(np.float32(getattr(value, kind)))
        cells.append((found, shown, None if found == "NOT_FOUND" else seconds(age)))
    return cells
