import json

import pytest

from argosy.errors import BadInput
from argosy.registry.tags import describe, metric_tags, mlflow_signature, read_signature, version_tags
from tests.fakes.registry import DIGESTS, a_model_folder, a_signature


def test_inputs_are_the_named_features_and_a_nullable_one_is_not_required():
    columns = json.loads(mlflow_signature(a_signature())["inputs"])

    assert columns == [
        {"type": "float", "name": "temp", "required": False},
        {"type": "string", "name": "carrier", "required": True},
    ]


def test_the_output_is_the_probability():
    assert json.loads(mlflow_signature(a_signature())["outputs"]) == [
        {"type": "float", "name": "probability", "required": True}
    ]


def test_a_version_is_tagged_with_key_digest_stage_and_signature():
    tags = version_tags(a_signature(), digest=DIGESTS[0], effect_key="k")

    assert json.loads(tags.pop("argosy.signature")).keys() == {"inputs", "outputs"}
    assert tags == {"argosy.key": "k", "argosy.digest": DIGESTS[0], "stage": "staging"}


def test_metrics_become_tags_by_their_path_and_what_is_no_number_is_left_out():
    metrics = {"overall": {"auc": 0.7812, "n_rows": 27004, "window": "test"}, "slices": [1, 2], "ok": True}

    assert metric_tags(metrics) == {"metric.overall.auc": "0.7812", "metric.overall.n_rows": "27004"}


def test_a_version_is_described_by_what_it_predicts():
    assert describe(a_signature()) == "probability: arrives 15+ minutes late; from 2 features."


@pytest.mark.parametrize("text", [None, "{", "[]", '{"features": [{"name": "temp", "type": "date"}]}'])
def test_a_folder_without_a_usable_signature_is_bad_input_with_its_path(tmp_path, text):
    model = a_model_folder(tmp_path / "model")
    if text is None:
        (model / "signature.json").unlink()
    else:
        (model / "signature.json").write_text(text)

    with pytest.raises(BadInput, match=rf"^{model}/signature.json: not the signature of a model"):
        read_signature(model)
