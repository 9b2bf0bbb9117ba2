import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from argosy.errors import Mistake, Refused
from argosy.launcher.refs import (
    Ref,
    folder,
    move_ref,
    read_ref,
    ref_history,
    ref_names,
    release_hold,
    roll_back,
)
from argosy.launcher.store import open_store
from tests.fakes.projects import ROOT

NAME = "flights/champion"
CAUSE = {"run": "r"}
A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
MOVER = """
import sys, time
from pathlib import Path
from argosy.launcher.refs import move_ref
from argosy.launcher.store import open_store
store, me = open_store(sys.argv[1]), sys.argv[2]
Path(sys.argv[1] + "-ready-" + me).touch()
while not Path(sys.argv[1] + "-go").exists():
    time.sleep(0.001)
print(move_ref(store, "flights/champion", "sha256:" + me * 64, expected=None, cause={})[0])
"""


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def promote(store, *targets):
    """Promote each target in turn, each against the one before."""
    for target in targets:
        verdict, ref = move_ref(store, NAME, target, expected=read_ref(store, NAME).target, cause=CAUSE)
        assert verdict == "promoted"
    return ref


def back(store):
    return roll_back(store, NAME, cause=CAUSE)


def test_a_ref_that_was_never_moved_has_no_target(store):
    assert read_ref(store, NAME) == Ref(NAME)
    assert ref_names(store) == []


def test_a_move_names_the_target_before_it(store):
    assert promote(store, A, B, A) == Ref(NAME, 3, A, B)
    assert [ref.target for ref, _ in ref_history(store, NAME)] == [A, B, A]
    assert ref_names(store) == [NAME]


def test_moving_to_the_current_target_changes_nothing(store):
    promote(store, A)

    assert move_ref(store, NAME, A, expected=None, cause=CAUSE) == ("promoted", Ref(NAME, 1, A))


def test_a_move_that_expected_another_target_is_superseded(store):
    promote(store, A, B)

    assert move_ref(store, NAME, C, expected=A, cause=CAUSE) == ("superseded", Ref(NAME, 2, B, A))
    assert read_ref(store, NAME).target == B


def test_every_generation_keeps_its_cause(store):
    move_ref(store, NAME, A, expected=None, cause={"run": "flights-1", "step": "promote"})

    assert [cause for _, cause in ref_history(store, NAME)] == [{"run": "flights-1", "step": "promote"}]


def test_a_rollback_brings_the_target_before_back_and_holds_the_current(store):
    promote(store, A, B)

    assert back(store) == Ref(NAME, 3, A, None, (B,))


def test_a_second_rollback_goes_further_back(store):
    promote(store, A, B, C)

    back(store)

    assert back(store) == Ref(NAME, 5, A, None, (C, B))


def test_a_rollback_from_a_b_a_goes_to_b(store):
    promote(store, A, B, A)

    assert back(store) == Ref(NAME, 4, B, A, (A,))


def test_a_rollback_never_goes_to_a_held_target(store):
    promote(store, A, B)
    back(store)
    promote(store, C)

    assert back(store).target == A


def test_there_is_nothing_to_go_back_to_from_the_first_target(store):
    promote(store, A)

    with pytest.raises(Refused, match=r"no earlier target than sha256:aaa.* that is not held"):
        back(store)
    assert read_ref(store, NAME).generation == 1


def test_a_ref_without_a_target_cannot_be_rolled_back(store):
    with pytest.raises(Mistake, match="has no target; run a training pipeline"):
        back(store)


def test_a_held_digest_is_not_promoted_whoever_asks(store):
    promote(store, A, B)
    back(store)

    assert move_ref(store, NAME, B, expected=A, cause=CAUSE)[0] == "held"
    assert read_ref(store, NAME).target == A


@pytest.mark.parametrize("digest", [B, B.removeprefix("sha256:"), "bbbb", "sha256:bbbb"])
def test_a_release_lifts_the_hold_and_changes_nothing_else(store, digest):
    promote(store, A, B)
    back(store)

    assert release_hold(store, NAME, digest, cause=CAUSE) == Ref(NAME, 4, A, None, ())
    assert promote(store, B).target == B


@pytest.mark.parametrize("digest", ["dddd", ""])
def test_releasing_what_is_not_held_is_a_mistake_that_lists_what_is(store, digest):
    promote(store, A, B, C)
    back(store)
    back(store)

    with pytest.raises(Mistake, match=f"held are: {C}, {B}"):
        release_hold(store, NAME, digest, cause=CAUSE)


@pytest.mark.parametrize("name", ["", "a b", "../up", "a/../b", "käse\n"])
def test_a_name_that_is_no_ref_is_a_mistake(name):
    with pytest.raises(Mistake, match="letters, digits"):
        folder(name)


def test_a_damaged_newest_generation_stops_every_move(store):
    promote(store, A, B)
    store.write("refs/flights/champion/00000002.json", b"{")

    with pytest.raises(Mistake, match="generation 2 cannot be read; `argosy verify`"):
        move_ref(store, NAME, C, expected=B, cause=CAUSE)


def test_refs_in_folders_of_each_other_are_two(store):
    move_ref(store, "flights", A, expected=None, cause=CAUSE)
    promote(store, B, C)

    assert read_ref(store, "flights") == Ref("flights", 1, A)
    assert read_ref(store, NAME).target == C


def test_one_of_two_moves_at_once_wins_among_threads(store):
    promote(store, A)
    targets = [f"sha256:{number:064}" for number in range(8)]
    barrier = threading.Barrier(len(targets))

    def move(target):
        barrier.wait()
        return move_ref(store, NAME, target, expected=A, cause=CAUSE)[0]

    with ThreadPoolExecutor(len(targets)) as pool:
        verdicts = list(pool.map(move, targets))

    assert sorted(verdicts) == ["promoted"] + ["superseded"] * 7
    assert read_ref(store, NAME).target == targets[verdicts.index("promoted")]


def test_one_of_two_moves_at_once_wins_among_processes(tmp_path, store):
    url = str(tmp_path / "store")
    movers = [
        subprocess.Popen([sys.executable, "-c", MOVER, url, me], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for me in "bc"
    ]
    while not all((tmp_path / f"store-ready-{me}").exists() for me in "bc"):
        threading.Event().wait(0.01)
    (tmp_path / "store-go").touch()

    verdicts = {me: mover.communicate()[0].strip() for me, mover in zip("bc", movers, strict=True)}

    assert sorted(verdicts.values()) == ["promoted", "superseded"]
    assert verdicts[read_ref(store, NAME).target[-1]] == "promoted"


class RefChain(RuleBasedStateMachine):
    """Moves, rollbacks and releases in any order, against a model that is a list of targets and a set of holds."""

    @initialize()
    def open(self):
        import tempfile

        self.place = tempfile.TemporaryDirectory()
        self.store = open_store(self.place.name + "/store")
        self.held = set()

    def teardown(self):
        if hasattr(self, "place"):
            self.store.stamps.close()
            self.place.cleanup()

    @rule(wanted=st.sampled_from([A, B, C, D]), informed=st.booleans(), stale=st.sampled_from([None, A, B]))
    def move(self, wanted, informed, stale):
        before = read_ref(self.store, NAME)
        expected = before.target if informed else stale

        verdict, after = move_ref(self.store, NAME, wanted, expected=expected, cause=CAUSE)

        if wanted in self.held:
            assert (verdict, after) == ("held", before)
        elif wanted == before.target:
            assert (verdict, after) == ("promoted", before)
        elif expected != before.target:
            assert (verdict, after) == ("superseded", before)
        else:
            assert (verdict, after.target, after.previous) == ("promoted", wanted, before.target)

    @rule()
    def roll_back(self):
        before = read_ref(self.store, NAME)
        try:
            after = back(self.store)
        except (Mistake, Refused):
            earlier = {ref.target for ref, _ in ref_history(self.store, NAME)}
            assert earlier - {before.target} <= self.held | {None}
            return
        self.held.add(before.target)
        assert after.target not in self.held

    @rule(digest=st.sampled_from([A, B, C, D]))
    def release(self, digest):
        before = read_ref(self.store, NAME)
        try:
            after = release_hold(self.store, NAME, digest, cause=CAUSE)
        except Mistake:
            assert digest not in self.held
            return
        self.held.remove(digest)
        assert (after.target, after.previous) == (before.target, before.previous)

    @invariant()
    def the_chain_is_whole(self):
        if not hasattr(self, "store"):
            return
        history = [ref for ref, _ in ref_history(self.store, NAME)]
        assert [ref.generation for ref in history] == list(range(1, len(history) + 1))
        targets = {None}
        for ref in history:
            assert ref.previous in targets
            assert ref.target not in ref.held
            assert len(set(ref.held)) == len(ref.held)
            targets.add(ref.target)
        assert set(read_ref(self.store, NAME).held) == self.held


TestRefChain = RefChain.TestCase
TestRefChain.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
