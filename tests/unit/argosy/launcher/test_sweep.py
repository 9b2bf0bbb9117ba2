import random
from dataclasses import asdict
from datetime import timedelta

import pytest

from argosy.launcher.roots import find_needed
from argosy.launcher.store import blob_path, open_store
from argosy.launcher.sweep import NOTES, sweep
from tests.fakes.swept_store import DAY, World


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.fixture(params=["folder", "s3"])
def world(request, tmp_path):
    """Give an empty store of each kind."""
    url = str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("s3")
    return World(open_store(url, state=tmp_path / "state"), tmp_path / "made")


@pytest.fixture
def local(tmp_path):
    """Give an empty store in a folder, whose files can be made to look old."""
    return World(open_store(str(tmp_path / "store"), state=tmp_path / "state"), tmp_path / "made")


def later(world, age):
    return world.store.now() + age


def twenty_more(world, pipeline="flights"):
    for number in range(20):
        world.run(f"{pipeline}-1{number:02d}", [f"{pipeline} {number}"], pipeline)


def test_what_no_recent_run_needs_goes_records_first_and_blobs_a_day_later(world):
    world.run("a-run-0", ["old"])
    twenty_more(world)
    blobs = len(world.store.paths("blobs"))

    first = sweep(world.store, later(world, 2 * DAY))
    soon = sweep(world.store, later(world, 2.9 * DAY))
    last = sweep(world.store, later(world, 3.1 * DAY))

    assert (first.records_deleted, first.records_kept, first.blobs_noted, first.blobs_deleted) == (1, 20, 4, 0)
    assert (soon.records_deleted, soon.blobs_noted, soon.blobs_deleted) == (0, 4, 0)
    assert (last.blobs_noted, last.blobs_deleted, last.blobs_kept) == (0, 4, blobs - 4)
    assert last.bytes > 0
    assert world.has("old", *(f"flights {number}" for number in range(20))) == [False, *[True] * 20]


def test_each_pipeline_keeps_its_own_last_runs(world):
    world.run("a-run-0", ["old"], "german-credit")
    twenty_more(world)

    sweep(world.store, later(world, 40 * DAY))

    assert world.has("old") == [True]


def test_what_a_reused_step_was_made_from_stays_too(world):
    world.run("a-run-0", ["raw", "clean", "model"])
    for number in range(20):
        world.begin(f"later-{number:02d}")
        world.end(f"later-{number:02d}", ["model"])

    for days in (40, 42):
        sweep(world.store, later(world, days * DAY))

    assert world.has("raw", "clean", "model") == [True] * 3


@pytest.mark.parametrize("root", ["promote", "register"])
def test_what_a_ref_or_a_registered_version_needs_stays_with_all_that_led_to_it(world, root):
    *_, model = world.run("a-run-0", ["raw", "clean", "model"])
    getattr(world, root)(model)
    if root == "promote":
        world.promote(world.artifact("a newer one"))
    twenty_more(world)

    for days in (40, 42):
        sweep(world.store, later(world, days * DAY))

    assert world.has("raw", "clean", "model") == [True] * 3
    assert world.is_whole(model)


def test_an_artifact_that_only_its_digest_names_keeps_its_files(world):
    given, forgotten = world.artifact("brought by a person"), world.artifact("brought by nobody")
    world.begin("a-run-0")
    world.end("a-run-0", [], data=given.digest)

    for days in (2, 4):
        sweep(world.store, later(world, days * DAY))

    assert world.is_whole(given)
    assert world.store.entry(blob_path(forgotten.digest[7:])) is None


def test_equal_bytes_of_many_keys_keep_one_way_in_which_they_came_to_be(world):
    world.begin("a-run-0")
    for number in range(3):
        made = world.record(f"same {number}", "a-run-0", text="equal")
    world.end("a-run-0", [f"same {number}" for number in range(3)])
    world.promote(made)
    twenty_more(world)

    for days in (2, 4):
        sweep(world.store, later(world, days * DAY))

    assert world.has("same 0", "same 1", "same 2").count(True) == 1
    assert world.is_whole(made)


def test_a_run_that_goes_on_keeps_what_its_pipeline_ever_made(world):
    world.run("a-run-0", ["old"])
    world.run("a-run-1", ["other"], "other")
    twenty_more(world)
    twenty_more(world, "other")
    world.begin("run-2")

    sweep(world.store, later(world, 2 * DAY))

    assert world.has("old", "other") == [True, False]


def test_a_run_that_began_a_week_ago_and_never_ended_was_killed(world):
    world.run("a-run-0", ["old"])
    twenty_more(world)
    world.begin("run-2")

    sweep(world.store, later(world, 8 * DAY))

    assert world.has("old") == [False]


def test_a_blob_stays_while_a_run_goes_on_that_may_have_seen_a_record_of_it(local):
    [old] = local.run("a-run-0", ["old"])
    twenty_more(local)
    local.grow_old(3 * DAY)
    sweep(local.store, local.store.now() - DAY - timedelta(hours=1))
    assert local.has("old") == [False]
    local.begin("run-2", "another")
    local.store.write_json("runs/run-3/run.json", {"pipeline": "third", "started": "run-3"})
    local.grow_old(timedelta(hours=26))

    spared = sweep(local.store, local.store.now())
    assert local.is_whole(old)
    local.end("run-2", [])
    local.end("run-3", [])
    gone = sweep(local.store, local.store.now())

    assert (spared.blobs_deleted, gone.blobs_deleted) == (0, 4)


def test_a_run_that_reused_a_record_just_before_it_went_keeps_its_blobs(world):
    [old] = world.run("a-run-0", ["old"])
    twenty_more(world)
    sweep(world.store, later(world, 2 * DAY))
    world.begin("run-2")
    world.end("run-2", ["old"], model=old.digest)

    sweep(world.store, later(world, 9 * DAY))

    assert world.is_whole(old)


def test_a_blob_that_was_put_again_waits_another_day(local):
    local.run("a-run-0", ["old"])
    twenty_more(local)
    local.grow_old(5 * DAY)
    sweep(local.store, local.store.now() - 2 * DAY)

    again = local.artifact("old")
    swept = sweep(local.store, local.store.now())

    assert local.is_whole(again)
    assert (swept.blobs_deleted, swept.blobs_noted) == (1, 3)


@pytest.mark.parametrize(("days", "is_there"), [(0.9, True), (29, True), (31, False)])
def test_a_record_of_a_pod_stays_for_a_month(world, days, is_there):
    world.record("pod", "flights-x7k2p-abcd")

    sweep(world.store, later(world, days * DAY))

    assert world.has("pod") == [is_there]


def test_a_record_of_the_last_day_stays_whoever_made_it(world):
    world.run("a-run-0", ["old"])
    twenty_more(world)

    assert sweep(world.store, later(world, 0.9 * DAY)).records_deleted == 0
    assert sweep(world.store, later(world, 1.1 * DAY)).records_deleted == 1


def test_damaged_documents_stop_no_sweep_and_delete_no_more(world):
    world.run("a-run-0", ["old"])
    twenty_more(world)
    world.store.write("runs/flights-119/run.json", b"{")
    world.store.write(f"steps/{world.key('torn')}/00000001.json", b'{"outputs"')
    world.store.write(NOTES, b"[]")

    swept = sweep(world.store, later(world, 2 * DAY))

    assert swept.records_deleted == 1
    assert world.has(*(f"flights {number}" for number in range(20))) == [True] * 20


def test_a_dry_run_says_the_same_and_deletes_nothing(world):
    world.run("a-run-0", ["old"])
    twenty_more(world)
    now, before = later(world, 2 * DAY), world.store.paths("")

    said = sweep(world.store, now, dry_run=True)

    assert world.store.paths("") == before
    assert asdict(sweep(world.store, now)) == asdict(said)


def test_what_killed_work_left_goes_after_a_day(world):
    world.store.write("staging/0123", b"half a file")
    world.store.write_json("claims/k/00000001.json", {"released": False})

    assert sweep(world.store, later(world, 0.9 * DAY)).leftovers_deleted == 0
    assert sweep(world.store, later(world, 1.1 * DAY)).leftovers_deleted == 2
    assert world.store.paths("staging") == world.store.paths("claims") == []


def test_a_sweep_that_is_killed_anywhere_leaves_all_that_is_needed_and_the_next_one_ends_it(local):
    local.begin("a-run-0")
    for generation in (1, 2, 3):
        local.record("forced", "a-run-0", text=f"result {generation}", generation=generation)
    local.end("a-run-0", ["forced"])
    local.run("a-run-1", ["old"])
    twenty_more(local)
    kept = [f"flights {number}" for number in range(20)]
    newest = local.store.latest(f"steps/{local.key('forced')}")[1]
    kills = 0
    for days in range(2, 40, 2):
        deleted = []

        def die_at_second(path, deleted=deleted):
            deleted.append(path)
            if len(deleted) == 2:
                raise Killed

        try:
            swept = sweep(local.store, later(local, days * DAY), hook=die_at_second)
        except Killed:
            kills += 1
        # While anything is left under a key, it is the newest generation.
        assert local.store.latest(f"steps/{local.key('forced')}")[1] in (newest, None)
        assert local.has(*kept) == [True] * 20

    assert kills >= 5
    assert (swept.records_deleted, swept.blobs_deleted, swept.blobs_noted, swept.blobs_kept) == (0, 0, 0, 20 * 4)


def test_a_run_that_begins_while_the_store_is_read_is_seen(world, monkeypatch):
    world.run("a-run-0", ["old"])
    twenty_more(world)
    listing = world.store.entries

    def begin_meanwhile(prefix):
        found = listing(prefix)
        if prefix == "steps":
            world.begin("run-2")
        return found

    monkeypatch.setattr(world.store, "entries", begin_meanwhile)
    sweep(world.store, later(world, 2 * DAY))

    assert world.has("old") == [True]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_whatever_happens_between_sweeps_what_is_needed_stays(local, seed):
    rng, runs, champions, names = random.Random(seed), [], [], []
    for number in range(60):
        run = f"run-{number:03d}"
        reused = rng.sample(names, min(len(names), 2)) if rng.random() < 0.5 else []
        reused = [name for name in reused if local.has(name) == [True]]
        local.begin(run)
        fresh = [f"{run}-{n}" for n in range(2)]
        made = [local.record(name, run, text=rng.choice(["same", name])) for name in fresh]
        names += fresh
        if rng.random() < 0.2:
            sweep(local.store, local.store.now())
        if rng.random() < 0.9:
            local.end(run, [*fresh, *reused])
            runs.append([*fresh, *reused])
        if rng.random() < 0.15:
            local.promote(made[0], f"ref-{number}")
            champions.append(made[0])
        local.grow_old(timedelta(hours=rng.choice([1, 13, 25, 200])))
        if rng.random() < 0.4:
            sweep(local.store, local.store.now())

        for needed in runs[-15:]:
            assert local.has(*needed) == [True] * len(needed)
        assert all(local.is_whole(artifact) for artifact in champions)
    assert len(find_needed(local.store, local.store.now()).records) < len(names)


def test_what_was_noted_of_an_import_goes_with_the_first_of_its_blobs_that_nothing_needs(world):
    needed, _ = world.store.put_bytes(b"needed"), world.store.put_bytes(b"forgotten")
    world.store.write_json(f"refs/kept/{1:08d}.json", {"target": f"sha256:{needed}"})
    for number, text in enumerate((b"needed", b"forgotten")):
        file = world.folder / f"file-{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        world.store.write_json(f"seen/{number}.json", {"uri": "s3://b/a", "files": {"": world.store.put_file(file)}})
    world.store.write("seen/2.json", b"torn")

    sweep(world.store, later(world, DAY), dry_run=True)
    assert len(world.store.paths("seen")) == 3
    sweep(world.store, later(world, DAY))

    assert world.store.paths("seen") == ["seen/0.json"]
