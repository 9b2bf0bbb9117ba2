import random

import pytest

from argosy.errors import Mistake, Outage
from argosy.registry.projection import Generation, announced, project
from argosy.registry.source import source_of
from tests.fakes.registry import DIGESTS, FakeRegistry, KilledError, dying, interleave

FIRST, SECOND, THIRD = DIGESTS[:3]


def a_registry(*digests):
    registry = FakeRegistry()
    registry.create_model("m")
    for digest in digests:
        registry.create_version("m", source=source_of(digest), tags={"stage": "staging"}, description="")
    return registry


def a_generation(number, target, *, previous=None, held=(), ref="champion"):
    return Generation(ref, number, target, previous, tuple(held), f"{ref}/{number}")


def shown(registry):
    """The champion's number, and stage and hold of each version."""
    model = registry.find_model("m")
    versions = {v.number: (v.tags.get("stage"), "held" in v.tags) for v in registry.list_versions("m")}
    return model.aliases.get("champion"), versions


def test_the_first_champion_is_in_production():
    registry = a_registry(FIRST, SECOND)

    stands, number = project(registry, "m", a_generation(1, FIRST))

    assert (stands.number, number) == (1, 1)
    assert shown(registry) == (1, {1: ("production", False), 2: ("staging", False)})


def test_a_promotion_deprecates_the_former_champion():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(1, FIRST))

    project(registry, "m", a_generation(2, SECOND, previous=FIRST))

    assert shown(registry) == (2, {1: ("deprecated", False), 2: ("production", False)})


def test_a_rollback_holds_the_version_that_it_leaves():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(1, FIRST))
    project(registry, "m", a_generation(2, SECOND, previous=FIRST))

    project(registry, "m", a_generation(3, FIRST, held=[SECOND]))

    assert shown(registry) == (1, {1: ("production", False), 2: ("deprecated", True)})


def test_a_released_version_is_no_longer_held():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(1, FIRST, held=[SECOND]))

    project(registry, "m", a_generation(2, FIRST))

    assert shown(registry) == (1, {1: ("production", False), 2: ("staging", False)})


def test_a_skipped_generation_leaves_no_second_version_in_production():
    registry = a_registry(FIRST, SECOND, THIRD)
    project(registry, "m", a_generation(1, FIRST))

    project(registry, "m", a_generation(3, THIRD, previous=SECOND))

    assert shown(registry) == (3, {1: ("deprecated", False), 2: ("deprecated", False), 3: ("production", False)})


def test_a_late_projection_yields_to_the_newer_one():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(2, SECOND, previous=FIRST))

    stands, number = project(registry, "m", a_generation(1, FIRST))

    assert (stands.number, number) == (2, 2)
    assert shown(registry) == (2, {1: ("deprecated", False), 2: ("production", False)})


def test_only_the_newest_announcement_is_kept():
    registry = a_registry(FIRST, SECOND)
    for number, target in ((1, FIRST), (2, SECOND), (10, FIRST)):
        project(registry, "m", a_generation(number, target))

    assert [found.number for found in announced(registry.find_model("m"), "champion")] == [10]


def test_a_changed_alias_is_set_right_by_projecting_again():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(1, FIRST))
    registry.set_alias("m", "champion", 2)

    project(registry, "m", a_generation(1, FIRST))

    assert registry.find_model("m").aliases == {"champion": 1}


def test_the_challenger_moves_its_alias_and_nothing_else():
    registry = a_registry(FIRST, SECOND)
    project(registry, "m", a_generation(1, FIRST, held=[THIRD]))

    project(registry, "m", a_generation(7, SECOND, ref="flights/challenger"))

    assert registry.find_model("m").aliases == {"champion": 1, "challenger": 2}
    assert shown(registry)[1] == {1: ("production", False), 2: ("staging", False)}


def test_an_unregistered_model_or_target_is_a_mistake_with_its_name():
    with pytest.raises(Mistake, match=r"^model 'm': not in the registry"):
        project(FakeRegistry(), "m", a_generation(1, FIRST))
    with pytest.raises(Mistake, match=rf"^model 'm': no version of {SECOND}"):
        project(a_registry(FIRST), "m", a_generation(1, SECOND))


def test_a_registry_that_does_not_keep_what_is_written_is_an_outage():
    registry = a_registry(FIRST)
    registry.set_alias = lambda *_: None

    with pytest.raises(Outage, match="changed by others 5 times"):
        project(registry, "m", a_generation(1, FIRST))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(14))
def test_killed_around_any_call_a_second_run_shows_the_generation(at, after):
    registry = a_registry(FIRST, SECOND, THIRD)
    project(registry, "m", a_generation(1, FIRST))
    last = a_generation(2, SECOND, previous=FIRST, held=[THIRD])
    try:
        project(dying(registry, at=at, after=after), "m", last)
    except KilledError:
        project(registry, "m", last)

    assert shown(registry) == (2, {1: ("deprecated", False), 2: ("production", False), 3: ("staging", True)})


@pytest.mark.parametrize("seed", range(200))
def test_generations_drawn_at_once_end_at_the_newest(seed):
    turns = random.Random(seed).choices((0, 1, 2), weights=random.Random(seed).choices((1, 4), k=3), k=40)
    registry = a_registry(FIRST, SECOND, THIRD)
    project(registry, "m", a_generation(1, FIRST))
    late = a_generation(2, SECOND, previous=FIRST)
    newest = a_generation(3, THIRD, previous=SECOND, held=[SECOND])

    interleave(registry, [lambda to, g=g: project(to, "m", g) for g in (late, newest, newest)], turns)

    assert shown(registry) == (3, {1: ("deprecated", False), 2: ("deprecated", True), 3: ("production", False)})
    assert [found.number for found in announced(registry.find_model("m"), "champion")] == [3]
