"""Lay a served log out as tables: what was asked, what was served, and which row of each view it came from."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.json as pj

from argosy.errors import BadInput
from argosy.features.offline import queries
from argosy.features.replay.served import read_served
from argosy.features.tables import quote

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from argosy.features.replay.served import Record
    from argosy.features.rules import Rules

SERVED, EVENT, STATUS, NUMBER = "served ", "event of ", "status of ", "number "
BLOCK_BYTES = 1 << 30
KEY_TYPES = {"Int32": pa.int64(), "Int64": pa.int64(), "String": pa.string(), "Bytes": pa.string()}


def load_log(db: duckdb.DuckDBPyConnection, folder: Path, rules: Rules) -> tuple[int, int]:
    """Make the tables `requests`, as retrieval has it, and `served`, row for row.

    Returns:
        The number of requests, and of records that were left out because other features were served.

    Raises:
        BadInput: A record lacks what this service's requests have.

    """
    names = {each["name"] for each in rules.listing()}
    entity, lines, others = _entity_types(rules), io.BytesIO(), 0
    for number, record in enumerate(read_served(folder)):
        if record["features"].keys() == names:
            lines.write(json.dumps(_flat(record, number, entity)).encode() + b"\n")
        else:
            others += 1
    if not lines.tell():
        return 0, others
    lines.seek(0)
    table = _read(lines, _schema(rules, entity), folder)
    db.register("logged", table)
    db.execute(_asked(rules, entity))
    db.execute(queries.load_requests(rules, db.table("asked").columns, part="log", before=0, first=True))
    db.execute(
        f"CREATE TABLE served AS SELECT r.{queries.ROW}, l.* FROM requests r JOIN logged l "  # noqa: S608 - identifiers are quoted
        f"ON l.{quote(NUMBER)} = r.{quote(rules.id)} ORDER BY r.{queries.ROW}"
    )
    return int(table.num_rows), others


def _read(lines: io.BytesIO, schema: pa.Schema, folder: Path) -> pa.Table:
    """Read lines by Arrow's own reader: handing it Python's values one by one would import pandas."""
    parse = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    try:
        return pj.read_json(lines, read_options=pj.ReadOptions(block_size=BLOCK_BYTES), parse_options=parse)
    except pa.ArrowException as error:
        raise BadInput(f"{folder}: its records are not of this service's requests ({error})") from error


def _entity_types(rules: Rules) -> dict[str, pa.DataType]:
    """Type what a request brings: its own features, what is compared with, and the keys, whose types are narrower."""
    kinds = {"number": pa.float64(), "category": pa.string()}
    compared = {
        each.equals: pa.string() if each.dtype == "String" else pa.float64()
        for view in rules.views
        for each in view.features
        if each.equals
    }
    own = {each.name: kinds[each.type] for each in rules.request}
    keys = {key: KEY_TYPES[kind] for view in rules.views for key, kind in zip(view.keys, view.key_types, strict=True)}
    return compared | own | keys


def _schema(rules: Rules, entity: dict[str, pa.DataType]) -> pa.Schema:
    kinds = {"number": pa.float64(), "category": pa.string()}
    fields = [(NUMBER, pa.int64()), ("request_id", pa.string()), ("t0", pa.int64()), *entity.items()]
    fields += [(SERVED + each["name"], kinds[each["type"]]) for each in rules.listing()]
    for view in rules.views:
        fields += [(EVENT + view.name, pa.int64()), (STATUS + view.name, pa.string())]
    return pa.schema(fields)


def _flat(record: Record, number: int, entity: dict[str, pa.DataType]) -> dict[str, Any]:
    flat = {NUMBER: number, "request_id": record["request_id"], "t0": record["at_us"]}
    flat |= {name: record["entity"].get(name) for name in entity}
    flat |= {SERVED + name: value for name, value in record["features"].items()}
    for view, (event_us, status) in record["views"].items():
        flat |= {EVENT + view: event_us, STATUS + view: status}
    return flat


def _asked(rules: Rules, entity: dict[str, pa.DataType]) -> str:
    """Select the requests, as a folder of requests has them, from the log."""
    coded = {
        key for view in rules.views for key, kind in zip(view.keys, view.key_types, strict=True) if kind == "Bytes"
    }
    own = [f"from_base64({quote(name)}) AS {quote(name)}" if name in coded else quote(name) for name in entity]
    columns = [f"{quote(NUMBER)} AS {quote(rules.id)}", "t0", "'' AS day", "NULL::TINYINT AS y"]
    return f"CREATE TABLE asked AS SELECT {', '.join([*columns, 'NULL::BIGINT AS label_at', *own])} FROM logged"  # noqa: S608
