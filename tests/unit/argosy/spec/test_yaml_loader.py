import yaml

from argosy.spec.yaml_loader import StrictLoader


def load(text):
    return yaml.load(text, Loader=StrictLoader)  # noqa: S506  # a subclass of the safe loader


def test_yaml_has_the_values_of_json():
    assert load("a: [1, 0.5, true, null, text]\nb: {c: '1'}\n") == {"a": [1, 0.5, True, None, "text"], "b": {"c": "1"}}


def test_what_looks_like_a_date_is_a_text():
    assert load("[2013-01-01, 2013-01-01T00:00:00Z]") == ["2013-01-01", "2013-01-01T00:00:00Z"]


def test_the_loader_of_others_is_left_alone():
    assert yaml.safe_load("{a: 1, a: 2}") == {"a": 2}
