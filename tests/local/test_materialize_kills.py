"""Kill a materialisation anywhere, run two at once: the online store ends as after one undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.features.online.connect import open_online
from argosy.features.online.marks import Work, online_view
from argosy.features.online.materialize import materialize
from tests.fakes.features import SECOND, T0, a_view, rules_with
from tests.fakes.redis_server import redis_port  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ENTITIES, ROWS = 2_500, 7_000
MOMENTS = 20
DAY = 86_400 * SECOND
LATER = T0 + 3_600 * SECOND
VIEWS = [
    a_view(name=name, source=name, ttl_us=ttl, age_feature=None, max_lateness_s=600)
    for name, ttl in (("hours", 6 * 3_600 * SECOND), ("days", 3 * DAY), ("ever", None))
]


class Place:
    """A folder with sources and rules, and online stores that are filled from it."""

    def __init__(self, folder, port):
        self.folder = folder
        self.port = port
        (folder / "features.json").write_text(rules_with(*VIEWS).to_json())
        for seed, view in enumerate(VIEWS):
            _write_source(folder / "events" / f"{view.source}.parquet", seed)

    def url(self, kind, name):
        if kind == "sqlite":
            return f"sqlite:///{self.folder}/{name}.db"
        return f"redis://127.0.0.1:{self.port}/0?project={self.folder.name}-{name}"

    def start(self, url, at=T0, call=0):
        command = [sys.executable, "-m", "tests.fakes.dying_materialization", self.folder, url, str(at), str(call)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)

    def run(self, url, at=T0):
        """Materialise in this process, which is to survive it."""
        with closing(open_online(url)) as store:
            work = Work(at, "events")
            materialize(events=self.folder / "events", features=self.folder / "features.json", online=store, work=work)

    def run_apart(self, url, at=T0, call=0):
        """Materialise in a process of its own, which may die; return how it ended, and the calls that it made."""
        process = self.start(url, at, call)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said.strip()

    def state(self, url):
        """Return every row, and of the marks what they stand for."""
        with closing(open_online(url)) as store:
            rows = {view.name: sorted(map(repr, store.rows(online_view(view)))) for view in VIEWS}
            marks = {
                name: [mark[word] for word in ("at_us", "source", "rules")] for name, mark in store.marks().items()
            }
        return rows, marks


def _write_source(path, seed):
    made = np.random.default_rng(seed)
    keys = pa.array([f"k{number}" for number in made.integers(0, ENTITIES, ROWS)])
    known = pa.array(T0 + SECOND * made.integers(-4 * 86_400, 7_200, ROWS)).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table({"k": keys, "known_at": known, "v": pa.array(made.random(ROWS))})
    path.parent.mkdir(parents=True, exist_ok=True)
    # One row per key and instant.
    unique = table.group_by(["k", "known_at"]).aggregate([("v", "max")]).rename_columns(["k", "known_at", "v"])
    pq.write_table(unique, path)


@pytest.fixture(scope="module")
def place(tmp_path_factory, redis_port):  # noqa: F811
    return Place(tmp_path_factory.mktemp("materialize"), redis_port)


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def undisturbed(place, kind):
    """The state after one run as of T0, after a second one as of an hour later, and how many calls the second made."""
    url = place.url(kind, "undisturbed")
    place.run(url)
    first = place.state(url)
    code, calls = place.run_apart(url, LATER)
    assert code == 0
    return first, place.state(url), int(calls)


def test_the_undisturbed_state_holds_what_the_rule_says(place, kind, undisturbed):
    rows, marks = undisturbed[0]

    assert {name: mark[0] for name, mark in marks.items()} == {view.name: T0 for view in VIEWS}
    for view in VIEWS:
        source = pq.ParquetFile(place.folder / "events" / f"{view.source}.parquet").read()
        known = source.column("known_at").cast(pa.int64()).to_numpy()
        alive = (known <= T0) & (known >= (T0 - view.ttl_us if view.ttl_us else 0))
        assert len(rows[view.name]) == len(set(source.column("k").to_numpy(zero_copy_only=False)[alive]))


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_around_any_call_and_run_again_it_ends_as_undisturbed(place, kind, undisturbed, moment):
    calls = undisturbed[2]
    url = place.url(kind, f"killed-{moment}")
    place.run(url)

    code, _ = place.run_apart(url, LATER, 1 + moment * calls // MOMENTS)
    assert code == -signal.SIGKILL
    place.run(url, LATER)

    assert place.state(url) == undisturbed[1]


def test_killed_at_random_moments_until_it_comes_to_its_end_it_ends_as_undisturbed(place, kind, undisturbed):
    url, made = place.url(kind, "random"), random.Random(kind)
    place.run(url)
    began = time.monotonic()
    assert place.run_apart(place.url(kind, "timed"), LATER)[0] == 0
    whole_s = time.monotonic() - began

    for _ in range(MOMENTS):
        process = place.start(url, LATER)
        time.sleep(made.uniform(0.3, 1.0) * whole_s)
        process.kill()
        process.communicate()
    place.run(url, LATER)

    assert place.state(url) == undisturbed[1]


def test_two_at_once_end_as_one(place, kind, undisturbed):
    url = place.url(kind, "two")

    twins = [place.start(url), place.start(url)]
    assert [twin.wait(120) for twin in twins] == [0, 0]
    for twin in twins:
        twin.communicate()

    assert place.state(url) == undisturbed[0]


def test_an_earlier_and_a_later_one_at_once_end_as_the_later(place, kind, undisturbed):
    url = place.url(kind, "mixed")

    twins = [place.start(url, LATER), place.start(url, T0)]
    assert [twin.wait(120) for twin in twins] == [0, 0]
    for twin in twins:
        twin.communicate()
    place.run(url, LATER)

    assert place.state(url) == undisturbed[1]
