import yaml

from argosy.registry.layout import lay_out
from tests.fakes.registry import DIGESTS, a_model_folder


def test_equal_models_are_laid_out_in_equal_bytes(tmp_path):
    folders = [a_model_folder(tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        lay_out(folder, digest=DIGESTS[0])

    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    assert one.keys() == {"MLmodel", "model.onnx", "signature.json", "card.json", "requirements.txt"}


def test_the_mlmodel_file_names_graph_digest_and_signature(tmp_path):
    folder = a_model_folder(tmp_path / "model")
    lay_out(folder, digest=DIGESTS[0])

    content = yaml.safe_load((folder / "MLmodel").read_text())

    assert content["flavors"]["onnx"]["data"] == "model.onnx"
    assert content["metadata"] == {"argosy": {"digest": DIGESTS[0], "name": "flights-delay"}}
    assert content["model_uuid"] == "a" * 32
    assert content["utc_time_created"] == "1970-01-01 00:00:00.000000"
    assert '"name": "temp"' in content["signature"]["inputs"]
