from argosy.argo.names import slug, unique


def test_a_name_keeps_what_argo_takes():
    assert slug("train_Model/v2 ") == "train-model-v2"
    assert slug("漢") == "x"
    assert len(slug("a" * 100)) == 63


def test_no_two_names_become_one():
    found = {}
    for name in ("train_model", "train-model", "other"):
        found[name] = unique(slug(name), found.values())

    assert found == {
        "train_model": "train-model",
        "train-model": "train-model-2",
        "other": "other",
    }


def test_a_number_behind_a_long_name_does_not_make_it_longer():
    assert unique("a" * 63, ["a" * 63]) == "a" * 59 + "-2"
