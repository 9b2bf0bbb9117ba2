import pytest

from argosy.features.definitions.checks import problems_of_service, problems_of_view
from tests.fakes.features import SECOND, a_feature, a_view, described


def a_described_view(*, tags=None, fields=None, without=(), **changes):
    """Return a described view with some of it changed."""
    view = {**described(a_view()), **changes}
    view["tags"] = {name: tag for name, tag in (view["tags"] | (tags or {})).items() if name not in without}
    return {**view, "fields": fields or view["fields"]}


def a_field(**changes):
    return {"name": "v", "dtype": "Float32", "description": "", "tags": {}, **changes}


def test_a_sound_view_has_no_problems():
    assert problems_of_view(a_described_view()) == []


def test_a_missing_or_zero_ttl_is_refused():
    for ttl_us in (None, 0):
        [problem] = problems_of_view(a_described_view(ttl_us=ttl_us))

        assert problem.startswith("feature view 'temps': its ttl is 0 or missing")
        assert "ttl='forever'" in problem


def test_forever_is_said_by_tag_and_then_stands_alone():
    forever = {"ttl": "forever"}

    assert problems_of_view(a_described_view(ttl_us=0, tags=forever)) == []
    assert "beside ttl=60 s" in problems_of_view(a_described_view(tags=forever))[0]
    assert "'2h'" in problems_of_view(a_described_view(tags={"ttl": "2h"}))[0]


@pytest.mark.parametrize("ttl_us", [500_000, 90 * SECOND + 1, -60 * SECOND])
def test_a_ttl_that_is_not_whole_seconds_above_zero_is_refused(ttl_us):
    [problem] = problems_of_view(a_described_view(ttl_us=ttl_us))

    assert "allowed are whole seconds above 0" in problem


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"max_latenes": "1m"}, "unknown tag 'max_latenes'; .*did you mean 'max_lateness'"),
        ({"on_expired": "zero"}, r"on_expired is 'zero'; allowed are \['null', 'fail', 'refer'\]"),
        ({"max_lateness": "1.5h"}, "max_lateness: '1.5h' is no duration"),
        ({"min_coverage": "95"}, "min_coverage is '95'; write a share from 0 to 1"),
        ({"availability": "soon"}, "availability: 'soon' is no duration; .*or 'created'"),
        ({"availability": "created"}, "availability is 'created', and its source names no created_timestamp_column"),
        ({"availability": "2m"}, "available 2m after their timestamp, when they have outlived their ttl of 60 s"),
    ],
)
def test_a_wrong_tag_is_named_with_what_is_allowed(tags, expected):
    with pytest.raises(AssertionError, match=expected):
        assert problems_of_view(a_described_view(tags=tags)) == []


def test_a_view_without_a_group_is_refused():
    assert "no `group` tag" in problems_of_view(a_described_view(without=["group"]))[0]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (a_field(dtype="Bytes"), "it is Bytes; allowed are"),
        (a_field(dtype="UnixTimestamp"), "with the tag `since`"),
        (a_field(dtype="UnixTimestamp", tags={"since": "weeks"}), "`since` is 'weeks' on UnixTimestamp"),
        (a_field(tags={"since": "min"}), "`since` is 'min' on Float32"),
        (a_field(tags={"unit": "F"}), "unknown tag 'unit'"),
    ],
)
def test_a_field_that_no_frame_can_hold_is_refused(field, expected):
    [problem] = problems_of_view(a_described_view(fields=[field]))

    assert "field 'v'" in problem
    assert expected in problem


def test_all_problems_come_at_once():
    problems = problems_of_view(a_described_view(ttl_us=0, without=["group"], fields=[a_field(dtype="Bytes")]))

    assert len(problems) == 3


def test_a_feature_made_twice_is_refused():
    twice = a_view(name="other", features=[a_feature(), a_feature(field="size")])
    request = [a_field(name="size", tags={"group": "g"})]
    service = {"views": [described(a_view()), described(twice)], "on_demand": [], "request": request}

    problems = problems_of_service(service)

    assert [problem.split(";")[0] for problem in problems] == [
        "feature 'size' is made 2 times",
        "feature 'v' is made 2 times",
    ]


def test_a_feature_named_as_a_column_of_every_frame_is_refused():
    service = {"views": [], "on_demand": [], "request": [a_field(name="y", tags={"group": "g"})]}

    assert problems_of_service(service) == ["feature 'y': a frame has its own column of this name; rename it"]


def test_a_request_field_expires_with_a_view_of_the_service():
    field = a_field(name="size", tags={"group": "now", "expires_with": "temp"})

    [problem] = problems_of_service({"views": [described(a_view())], "on_demand": [], "request": [field]})

    assert "`expires_with` is 'temp'" in problem
    assert "did you mean 'temps'?" in problem


def test_an_on_demand_view_is_refused_by_name_with_what_to_write_instead():
    [problem] = problems_of_service({"views": [], "on_demand": ["ratio"], "request": []})

    assert problem.startswith("on-demand feature view 'ratio': nothing keeps its code to the TTL of what it reads")
    assert "`since`, `equals`" in problem
