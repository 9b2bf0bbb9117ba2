import pytest

from argosy.errors import Mistake
from argosy.spec.fields import Fields, did_you_mean, shorten


def test_an_unread_field_is_refused_with_its_place_and_the_closest_name():
    fields = Fields({"image": "a", "resources": {"gpuu": 1}}, "executors.train")
    fields.text("image")
    fields.object("resources").number("gpu", default=0)

    with pytest.raises(Mistake) as caught:
        fields.require_all_read()

    assert str(caught.value) == ("executors.train.resources.gpuu: unread field (did you mean 'gpu'?); fields here: gpu")


def test_all_unread_fields_are_named_at_once_up_to_a_bound():
    fields = Fields({f"f{i:02}": 1 for i in range(12)})

    with pytest.raises(Mistake) as caught:
        fields.require_all_read()

    assert len(str(caught.value).splitlines()) == 11
    assert str(caught.value).endswith("and 2 more")


def test_a_field_that_is_null_is_not_there():
    fields = Fields({"a": None})

    assert "a" not in fields
    assert fields.text("a", default="d") == "d"
    assert fields.texts("a") == ()
    assert list(fields.entries("a")) == []
    fields.require_all_read()


def test_null_is_a_value_where_json_is_read():
    assert Fields({"a": None}).json("a") is None


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda f: f.text("number"), "p.number: got 1; a text is needed here"),
        (lambda f: f.text("missing"), "p.missing: missing; a text that is not empty is needed here"),
        (lambda f: f.text("empty"), "p.empty: missing; a text that is not empty is needed here"),
        (lambda f: f.flag("number"), "p.number: got 1; true or false is needed here"),
        (lambda f: f.number("truth", default=0), "p.truth: got true; a number is needed here"),
        (lambda f: f.number("empty", default=0), 'p.empty: got ""; a number is needed here'),
        (lambda f: f.texts("mixed"), "p.mixed[1]: got 2; a text is needed here"),
        (lambda f: f.objects("mixed"), 'p.mixed[0]: got "a"; an object is needed here'),
        (lambda f: f.object("mixed"), 'p.mixed: got ["a", 2]; an object is needed here'),
        (lambda f: list(f.entries("map")), "p.map.a: got 1; an object is needed here"),
    ],
)
def test_a_field_of_the_wrong_kind_names_place_and_kind(read, message):
    data = {"number": 1, "truth": True, "empty": "", "mixed": ["a", 2], "map": {"a": 1}}

    with pytest.raises(Mistake) as caught:
        read(Fields(data, "p"))

    assert str(caught.value) == message


def test_a_missing_field_hints_at_a_misspelt_one():
    with pytest.raises(Mistake, match=r"image: missing; .* \(did you mean 'imge'\?\)"):
        Fields({"imge": "a"}).text("image")


def test_a_64_bit_number_may_be_a_text():
    assert Fields({"seconds": "60"}).number("seconds", default=0) == 60


def test_entries_come_sorted():
    assert [name for name, _ in Fields({"m": {"b": {}, "a": {}}}).entries("m")] == ["a", "b"]


def test_long_values_are_shortened():
    assert shorten("x" * 100) == '"' + "x" * 56 + "..."


def test_no_hint_where_nothing_is_close():
    assert did_you_mean("abc", ["xyz"]) == ""
