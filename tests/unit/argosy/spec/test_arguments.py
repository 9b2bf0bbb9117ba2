import pytest

from argosy.errors import Mistake
from argosy.spec.arguments import bind_arguments
from argosy.spec.model import Parameter, Pipeline

PIPELINE = Pipeline(
    "flights",
    "",
    {
        "as_of": Parameter("as_of", "STRING"),
        "rows": Parameter("rows", "NUMBER_INTEGER", optional=True, default=3),
        "rate": Parameter("rate", "NUMBER_DOUBLE", optional=True, default=0.5),
        "fast": Parameter("fast", "BOOLEAN", optional=True, default=False),
        "tags": Parameter("tags", "LIST", optional=True),
        "depths": Parameter("depths", "STRUCT", optional=True),
        "profile": Parameter("profile", "STRING", optional=True, default="year", literals=("year", "month")),
    },
    (),
)
DEFAULTS = {"rows": 3, "rate": 0.5, "fast": False, "profile": "year"}


def test_defaults_are_bound_and_optional_ones_without_are_left_out():
    assert bind_arguments(PIPELINE, {"as_of": "2013-12-31"}) == {"as_of": "2013-12-31", **DEFAULTS}


@pytest.mark.parametrize(
    ("name", "given", "bound"),
    [
        ("as_of", "3", "3"),
        ("rows", "4", 4),
        ("rows", "4.0", 4),
        ("rows", 4, 4),
        ("rate", "1", 1.0),
        ("rate", "1e-3", 0.001),
        ("fast", "true", True),
        ("fast", "False", False),
        ("tags", '["a", 2.0]', ["a", 2]),
        ("tags", ["a"], ["a"]),
        ("depths", '{"a": null}', {"a": None}),
        ("profile", "month", "month"),
    ],
)
def test_a_text_is_read_by_the_declared_type(name, given, bound):
    result = bind_arguments(PIPELINE, {"as_of": "d", name: given})

    assert repr(result[name]) == repr(bound)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rows": "many"}, "parameter 'rows': got \"many\"; a whole number (NUMBER_INTEGER) is needed"),
        ({"rows": "1.5"}, "parameter 'rows': got 1.5; a whole number (NUMBER_INTEGER) is needed here"),
        ({"rate": "NaN"}, "parameter 'rate': got nan; JSON has no such number, use a text or leave it out"),
        ({"tags": "[" * 100_000}, f"parameter 'tags': got \"{'[' * 56}...; a list (LIST) is needed"),
        ({"fast": "1"}, "parameter 'fast': got 1; true or false (BOOLEAN) is needed here"),
        ({"tags": "a,b"}, "parameter 'tags': got \"a,b\"; a list (LIST) is needed"),
        ({"depths": "[]"}, "parameter 'depths': got []; an object (STRUCT) is needed here"),
        ({"profile": "day"}, 'parameter \'profile\': got "day"; allowed: "year", "month"'),
        ({"as_of": 3}, "parameter 'as_of': got 3; a text (STRING) is needed here"),
    ],
)
def test_a_value_that_does_not_fit_names_parameter_value_and_type(given, message):
    with pytest.raises(Mistake) as caught:
        bind_arguments(PIPELINE, {"as_of": "d", **given})

    assert str(caught.value) == message


def test_every_problem_is_named_at_once():
    with pytest.raises(Mistake) as caught:
        bind_arguments(PIPELINE, {"as_off": "d", "rows": "x"})

    assert str(caught.value).splitlines() == [
        "parameter 'as_off': unknown (did you mean 'as_of'?); "
        "parameters: as_of, rows, rate, fast, tags, depths, profile",
        "parameter 'as_of': missing; a text (STRING) is needed",
        "parameter 'rows': got \"x\"; a whole number (NUMBER_INTEGER) is needed",
    ]
