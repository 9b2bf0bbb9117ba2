import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from argosy.features.carried import carry
from argosy.features.online.rows import OnlineRow
from argosy.features.rules import RequestFeature
from argosy.features.vector import Vector, assemble, wanted_rows
from tests.fakes.features import SECOND, T0, a_feature, a_request, a_row, a_view, retrieve_rows, rules_with

TTL = 60 * SECOND
VIEWS = (
    a_view(
        created="created",
        features=[
            a_feature(),
            a_feature(name="size", field="big", dtype="Int64"),
            a_feature(name="slack", field="at", dtype="UnixTimestamp", since="min"),
            a_feature(name="same", field="w", dtype="String", equals="k"),
            a_feature(name="kind", field="w", dtype="String", type="category"),
        ],
    ),
    a_view(
        name="pairs", keys=["k", "k2"], ttl_us=None, age_feature=None, created="created",
        features=[a_feature(name="lone", field="v", dtype="Float64")],
    ),
    a_view(
        name="later", created="created", availability=SECOND, age_feature="later_age_s",
        features=[a_feature(name="lately")],
    ),
    a_view(
        name="made", created="created", availability="created", age_feature=None, features=[a_feature(name="fixed")]
    ),
    a_view(name="gone", ttl_us=SECOND, created="created", features=[a_feature(name="short")], age_feature="gone_age_s"),
)  # fmt: skip
RULES = rules_with(
    *VIEWS,
    request=[
        RequestFeature("length", "number", "now", "a length"),
        RequestFeature("queue", "number", "now", "a queue", expires_with="temps"),
        RequestFeature("k", "category", "now", "its key"),
    ],
)
CARRIED = carry(RULES)


def known_at(view, row):
    """Return from when on a row counts."""
    if view.availability == "created":
        return max(row["known_at"], row["created"])
    return row["known_at"] + view.availability


def newest(view, rows, request):
    """Return what a store holds that was given all rows known by the request, as a store holds it."""
    mine = [
        row
        for row in rows
        if known_at(view, row) <= request["t0"]
        and all(row[key] is not None and row[key] == request[key] for key in view.keys)
    ]
    if not mine:
        return None
    row = max(mine, key=lambda each: (each["known_at"], each["created"]))
    values = {each.field: stored(each.dtype, row[each.field]) for each in view.features}
    return OnlineRow(tuple(row[key] for key in view.keys), row["known_at"], row["created"], values)


def stored(dtype, value):
    if value is None or dtype not in {"Float32", "UnixTimestamp"}:
        return value
    return value // SECOND if dtype == "UnixTimestamp" else float(np.float32(value))


def served(rows, request):
    """Answer one request as a server does that holds these rows."""
    vector = assemble(CARRIED, request, [newest(view, rows, request) for view in VIEWS], request["t0"])
    statuses = {f"{name}__status": seen.status for name, seen in vector.views.items()}
    ages = {f"{name}__age_s": seen.age_s for name, seen in vector.views.items()}
    return vector.features | statuses | ages


KEYS = st.sampled_from(["a", "x", None])
OFFSETS = (-2 * TTL, -TTL - 1, -TTL, -TTL + 1, -SECOND - 1, -SECOND, -SECOND + 1, -1, 0, 1, TTL - 1, TTL, TTL + 1)
INSTANTS = st.sampled_from([T0 + offset for offset in OFFSETS])
FLOATS = st.floats(-1e30, 1e30, width=64)
WHOLES = st.integers(-(2**63), 2**63 - 1) | st.integers(2**53 - 3, 2**53 + 3)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "k2": st.sampled_from([1, 2, None]),
            "known_at": INSTANTS,
            "created": st.integers(T0 - 5, T0 + 9) | INSTANTS,
            "v": st.none() | FLOATS,
            "big": st.none() | WHOLES,
            "at": st.none() | st.integers(T0 - 10**9, T0 + 10**9),
            "w": st.sampled_from(["a", "x", None]),
        }
    ),
    max_size=20,
    unique_by=lambda row: (row["known_at"], row["created"]),
)
ASKED = st.lists(
    st.fixed_dictionaries(
        {
            "k": KEYS,
            "k2": st.sampled_from([1, 2, None]),
            "t0": INSTANTS,
            "length": st.none() | FLOATS,
            "queue": st.none() | st.floats(0, 9, width=32),
        }
    ),
    min_size=1,
    max_size=20,
)


# Rounded to float64 first, it would end a float32 lower.
ROUNDED_ONCE = {
    "k": "a",
    "k2": 1,
    "known_at": T0,
    "created": T0,
    "v": 0.1,
    "big": 2**60 + 2**36 + 1,
    "at": T0 - 1,
    "w": "a",
}
ASKS = {"k": "a", "k2": 1, "t0": T0, "length": 0.1, "queue": 1.0}


@settings(max_examples=25, deadline=None)
@example(rows=[ROUNDED_ONCE], asked=[ASKS])
@given(rows=ROWS, asked=ASKED)
def test_a_served_vector_is_the_row_that_retrieval_makes_of_the_same_rows_cell_by_cell(rows, asked):
    rows = [a_row(**row) for row in rows]
    requests = [a_request(id=str(number), **each) for number, each in enumerate(asked)]
    with tempfile.TemporaryDirectory() as folder:
        made, _ = retrieve_rows(Path(folder), RULES, requests={"p": requests}, sources={"temps": rows})

    by_id = {row["id"]: row for row in made["p"]}
    for request in requests:
        expected = {name: by_id[request["id"]][name] for name in served(rows, request)}
        assert served(rows, request) == expected


def test_features_stand_in_the_order_of_the_frames_columns():
    vector = assemble(CARRIED, a_request(length=1.0, queue=None), [None] * 5, T0)

    assert list(vector.features) == CARRIED.names == [feature["name"] for feature in RULES.listing()]


def test_a_row_from_the_future_of_the_request_is_no_row():
    row = OnlineRow(("a",), T0 + 1, None, {"v": 1.0})
    rules = carry(rules_with(a_view()))

    assert assemble(rules, a_request(), [row], T0) == Vector(
        {"v": None, "temps_age_s": None}, {"temps": (None, "NOT_FOUND", None)}
    )


def test_a_view_is_asked_for_its_own_keys_and_for_none_where_one_is_null():
    wanted = wanted_rows(CARRIED, a_request(k="a", k2=None))

    assert wanted[:3] == [(CARRIED.views[0].online, ("a",)), None, (CARRIED.views[2].online, ("a",))]
