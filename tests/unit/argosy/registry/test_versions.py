from itertools import product

import pytest

from argosy.registry.protocol import Version
from argosy.registry.source import source_of
from argosy.registry.versions import settle_version
from tests.fakes.registry import DIGESTS, FakeRegistry, KilledError, dying, interleave

WANTED = Version(0, source_of(DIGESTS[0]), {"argosy.key": "k", "stage": "staging", "data": "d1"}, "a model")


def test_a_new_source_becomes_a_version_with_all_its_tags():
    registry = FakeRegistry()

    assert settle_version(registry, "m", WANTED).number == 1
    assert registry.versions["m"] == [Version(1, WANTED.source, WANTED.tags, "a model")]


def test_registering_again_changes_nothing():
    registry = FakeRegistry()
    settle_version(registry, "m", WANTED)
    before = list(registry.versions["m"])

    assert settle_version(registry, "m", WANTED).number == 1
    assert registry.versions["m"] == before


def test_another_digest_becomes_the_next_version():
    registry = FakeRegistry()
    settle_version(registry, "m", WANTED)

    other = Version(0, source_of(DIGESTS[1]), {"argosy.key": "k2"}, "")
    assert settle_version(registry, "m", other).number == 2


def test_a_version_made_by_hand_is_adopted_with_the_tags_that_it_lacks():
    registry = FakeRegistry()
    registry.create_model("m")
    registry.create_version("m", source=WANTED.source, tags={"data": "by hand"}, description="")

    assert settle_version(registry, "m", WANTED).number == 1
    assert registry.versions["m"][0].tags == {"data": "by hand", "argosy.key": "k", "stage": "staging"}


def test_surplus_with_our_key_is_deleted_and_that_of_others_stays():
    registry = FakeRegistry()
    registry.create_model("m")
    for key in ("k", "k", "somebody's"):
        registry.create_version("m", source=WANTED.source, tags={"argosy.key": key}, description="")

    assert settle_version(registry, "m", WANTED).number == 1
    assert [version.number for version in registry.versions["m"]] == [1, 3]


def test_a_stage_that_has_moved_on_is_not_set_back():
    registry = FakeRegistry()
    settle_version(registry, "m", WANTED)
    registry.tag_version("m", 1, "stage", "production")

    settle_version(registry, "m", WANTED)

    assert registry.versions["m"][0].tags["stage"] == "production"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(5))
def test_killed_around_any_call_a_second_run_leaves_one_version(at, after):
    registry = FakeRegistry()
    try:
        settle_version(dying(registry, at=at, after=after), "m", WANTED)
    except KilledError:
        settle_version(registry, "m", WANTED)

    assert [version.source for version in registry.versions["m"]] == [WANTED.source]
    assert registry.versions["m"][0].tags == WANTED.tags


def test_two_at_once_agree_on_one_version_in_every_order_of_their_calls():
    for turns in product((0, 1), repeat=9):
        registry, chosen = FakeRegistry(), []

        def register(watched, chosen=chosen):
            chosen.append(settle_version(watched, "m", WANTED).number)

        interleave(registry, [register, register], turns)

        assert chosen == [1, 1], turns
        assert [version.number for version in registry.versions["m"]] == [1], turns
