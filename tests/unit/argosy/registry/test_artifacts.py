import gc

import pytest

from argosy.launcher.artifacts import store_artifact
from argosy.launcher.store import open_store
from argosy.registry.source import repository_of, source_of
from tests.fakes.registry import DIGESTS, a_model_folder

# MLflow's own use of SQLAlchemy, said when its SQL store is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """A model in the store that ARGOSY_STORE names."""
    import onnx
    from onnx import TensorProto, helper

    columns = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 2])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    nodes = [helper.make_node("Sigmoid", ["features"], ["probabilities"])]
    graph = helper.make_graph(nodes, "model", [columns], [answer])
    model = onnx.ModelProto(ir_version=10, opset_import=[helper.make_opsetid("", 17)], graph=graph)
    monkeypatch.setenv("ARGOSY_STORE", str(tmp_path / "store"))
    folder = a_model_folder(tmp_path / "model", graph=model.SerializeToString())
    return store_artifact(open_store(), folder, {}).digest


def test_the_files_of_a_stored_model_are_listed_with_those_of_mlflow(digest):
    listed = repository_of(source_of(digest)).list_artifacts()

    names = [entry.path for entry in listed]
    assert names == ["MLmodel", "card.json", "model.onnx", "requirements.txt", "signature.json"]
    assert all(entry.file_size > 0 and not entry.is_dir for entry in listed)


def test_a_file_lists_nothing_under_it(digest):
    assert repository_of(source_of(digest)).list_artifacts("MLmodel") == []


def test_a_path_out_of_the_model_is_refused(digest):
    from mlflow.exceptions import MlflowException

    repository = repository_of(source_of(digest))

    for path in ("../x", "/etc/passwd"):
        with pytest.raises(MlflowException, match="allowed are paths inside the model folder"):
            repository.list_artifacts(path)


def test_the_store_is_not_written_through_mlflow(digest, tmp_path):
    from mlflow.exceptions import MlflowException

    repository = repository_of(source_of(digest))

    with pytest.raises(MlflowException, match="not written through MLflow"):
        repository.log_artifact(str(tmp_path))
    with pytest.raises(MlflowException, match="not written through MLflow"):
        repository.log_artifacts(str(tmp_path))


def test_a_uri_without_a_digest_is_refused():
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="allowed is argosy://sha256/"):
        repository_of("argosy://sha256/abc")


def test_the_laid_out_folder_goes_with_its_repository(digest):
    repository = repository_of(source_of(digest))
    folder = repository.folder.parent

    del repository
    gc.collect()

    assert not folder.exists()


def test_the_champion_is_loaded_by_mlflow_with_its_signature(digest, tmp_path, monkeypatch):
    import mlflow.models
    import mlflow.onnx
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories

    from argosy.registry.effects import project_alias, register_version

    get_registered_artifact_repositories().setdefault("argosy", repository_of)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    entry = {"target": digest, "previous": None, "held": []}
    register_version(tracking_uri=uri, name="flights", model=tmp_path / "model", digest=digest, effect_key="k", tags={})
    project_alias(tracking_uri=uri, name="flights", ref="champion", generation=1, entry=entry, effect_key="g")

    graph = mlflow.onnx.load_model("models:/flights@champion")
    signature = mlflow.models.get_model_info("models:/flights@champion").signature

    assert [node.op_type for node in graph.graph.node] == ["Sigmoid"]
    assert signature.inputs.input_names() == ["temp", "carrier"]
    assert signature.outputs.input_names() == ["probability"]


def test_a_missing_model_says_so(digest):
    from argosy.errors import Outage

    with pytest.raises(Outage, match=DIGESTS[0]):
        repository_of(source_of(DIGESTS[0])).list_artifacts()
