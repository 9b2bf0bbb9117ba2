from contextlib import closing

import pytest

from argosy.errors import BadInput
from argosy.features.online.connect import open_online
from argosy.features.online.marks import Work, is_current, online_view
from argosy.features.online.materialize import materialize
from argosy.features.visibility import judge
from tests.fakes.features import SECOND, T0, a_feature, a_row, a_view, rules_with, write_rows

TTL = 60 * SECOND


class World:
    """A source, rules and an online store, materialised step by step."""

    def __init__(self, folder, view):
        self.folder = folder
        self.view = view
        self.features = folder / "features.json"
        self.features.write_text(rules_with(view).to_json())
        self.online = open_online(f"sqlite:///{folder}/online.db")

    def run(self, rows, at=T0, *, source="s", since=None):
        write_rows(self.folder / "events" / "temps.parquet", rows, list(a_row()))
        work = Work(at, source, since)
        made = materialize(events=self.folder / "events", features=self.features, online=self.online, work=work)
        return made["views"]["temps"]

    def current(self, at=T0, *, source="s", since=None):
        return is_current(features=self.features, marks=self.online.marks(), work=Work(at, source, since))

    def held(self):
        return {row.key: (row.event_us, row.values["v"]) for row in self.online.rows(online_view(self.view))}

    def status(self, at, key="a"):
        [row] = self.online.read([(online_view(self.view), (key,))])
        return judge(row and row.event_us, at, self.view.ttl_us, row.values.values() if row else ())


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path, a_view(max_lateness_s=10))
    with closing(made.online):
        yield made


def test_the_newest_row_known_by_the_instant_is_brought(world):
    report = world.run([a_row(known_at=T0 - 2, v=1.0), a_row(known_at=T0, v=2.0), a_row(known_at=T0 + 1, v=3.0)])

    assert world.held() == {("a",): (T0, 2.0)}
    assert (report["offered"], report["written"], report["freshness_s"]) == (2, 1, 0.0)


def test_a_row_from_the_future_is_not_brought_and_does_not_hide_the_one_before_it(world):
    world.run([a_row(known_at=T0 - 1, v=1.0), a_row(known_at=T0 + 1, v=2.0)])

    assert world.status(T0) == "PRESENT"
    assert world.held() == {("a",): (T0 - 1, 1.0)}


def test_a_row_at_its_ttl_is_brought_and_one_beyond_it_is_not(world):
    world.run([a_row(k="at", known_at=T0 - TTL), a_row(k="beyond", known_at=T0 - TTL - 1)])

    assert set(world.held()) == {("at",)}


def test_a_second_run_has_nothing_left_to_do(world):
    world.run([a_row()])

    assert world.current()
    assert world.current(T0 - SECOND, source="older")
    assert not world.current(T0 + 1)
    assert not world.current(source="corrected")
    assert not world.current(since=T0 - SECOND)


def test_an_edited_ttl_brings_what_the_shorter_one_left_out(world):
    rows = [a_row(known_at=T0 - TTL - 1)]
    world.run(rows)
    world.view = a_view(ttl_us=2 * TTL, max_lateness_s=10)
    world.features.write_text(rules_with(world.view).to_json())

    assert not world.current()
    assert world.run(rows)["written"] == 1


def test_a_late_row_within_the_lateness_is_found_and_counted(world):
    world.run([a_row(k="b", known_at=T0)])
    report = world.run([a_row(k="b", known_at=T0), a_row(known_at=T0 - 9 * SECOND)], T0 + SECOND)

    assert report["late"] == 1
    assert ("a",) in world.held()


def test_a_row_later_than_the_lateness_waits_for_a_backfill(world):
    world.run([a_row(k="b", known_at=T0)])
    rows = [a_row(k="b", known_at=T0), a_row(known_at=T0 - 30 * SECOND)]

    assert world.run(rows, T0 + SECOND)["late"] == 0
    assert world.run(rows, T0 + SECOND, since=T0 - 40 * SECOND)["late"] == 1
    assert ("a",) in world.held()


def test_a_late_row_never_replaces_a_newer_one(world):
    world.run([a_row(known_at=T0, v=2.0)])
    world.run([a_row(known_at=T0 - 5 * SECOND, v=1.0)], T0 + SECOND)

    assert world.held() == {("a",): (T0, 2.0)}


def test_a_correction_of_an_old_instant_is_found_by_its_creation(tmp_path):
    world = World(tmp_path, a_view(created="created", max_lateness_s=1))
    with closing(world.online):
        world.run([a_row(known_at=T0 - 30 * SECOND, created=T0 - 30 * SECOND, v=1.0)])
        world.run([a_row(known_at=T0 - 30 * SECOND, created=T0 + SECOND, v=2.0)], T0 + 2 * SECOND)

        assert world.held() == {("a",): (T0 - 30 * SECOND, 2.0)}


def test_rows_that_are_held_back_come_when_they_may_be_used(tmp_path):
    world = World(tmp_path, a_view(availability=20 * SECOND, max_lateness_s=1))
    with closing(world.online):
        world.run([a_row(known_at=T0)], T0 + 19 * SECOND)
        assert world.held() == {}

        world.run([a_row(known_at=T0)], T0 + 20 * SECOND)
        assert world.held() == {("a",): (T0, 1.0)}


def test_rows_past_their_ttl_are_dropped(world):
    world.run([a_row()])
    report = world.run([a_row(k="b", known_at=T0 + 2 * TTL)], T0 + 2 * TTL)

    assert report["dropped"] == 1
    assert set(world.held()) == {("b",)}


def test_a_policy_that_tells_expired_from_missing_keeps_the_rows_that_it_needs(tmp_path):
    world = World(tmp_path, a_view(on_expired="refer", max_lateness_s=1))
    with closing(world.online):
        world.run([a_row(known_at=T0 - 2 * TTL)])
        report = world.run([a_row(k="b", known_at=T0)])

        assert (report["dropped"], world.status(T0)) == (0, "OUTSIDE_MAX_AGE")


def test_a_view_that_never_expires_keeps_its_rows(tmp_path):
    world = World(tmp_path, a_view(ttl_us=None, age_feature=None))
    with closing(world.online):
        world.run([a_row(known_at=0)])
        world.run([a_row(k="b", known_at=T0)])

        assert set(world.held()) == {("a",), ("b",)}


def test_coverage_is_the_share_of_known_entities_with_a_living_row(world):
    rows = [a_row(k="a", known_at=T0 - 2 * TTL), a_row(k="b", known_at=T0 - 1), a_row(k="c", known_at=T0 + 1)]

    report = world.run(rows)

    assert (report["entities"], report["alive"], report["coverage"]) == (2, 1, 0.5)


def test_null_keys_are_left_out_and_null_values_are_kept(world):
    world.run([a_row(k=None), a_row(k="b", v=None)])

    assert world.held() == {("b",): (T0, None)}
    assert world.status(T0, "b") == "NULL_VALUE"


def test_two_different_rows_of_one_instant_are_refused_and_nothing_is_marked(world):
    with pytest.raises(BadInput, match=r"2 different rows for .*declare a created column"):
        world.run([a_row(v=1.0), a_row(v=2.0)])

    assert world.online.marks() == {}


def test_an_empty_source_marks_the_view_with_no_coverage(world):
    report = world.run([])

    assert (report["coverage"], report["freshness_s"], world.current()) == (0.0, None, True)


def test_a_part_of_a_second_in_an_instant_that_is_a_value_is_refused(tmp_path):
    world = World(
        tmp_path, a_view(features=[a_feature(), a_feature(name="s", field="at", dtype="UnixTimestamp", since="min")])
    )
    with closing(world.online), pytest.raises(BadInput, match="part of a second in at"):
        world.run([a_row(at=T0 + 1)])


def test_a_source_without_a_column_is_refused_by_name(tmp_path):
    world = World(tmp_path, a_view(features=[a_feature(field="gone", name="gone")]))
    with closing(world.online), pytest.raises(BadInput, match=r"no columns \['gone'\]"):
        world.run([a_row()])
