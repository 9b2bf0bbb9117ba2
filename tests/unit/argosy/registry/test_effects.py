import pytest

from argosy.errors import BadInput, Mistake
from tests.fakes.registry import DIGESTS, a_model_folder

# MLflow's own use of SQLAlchemy, said when its SQL store is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


@pytest.fixture
def effects():
    from argosy.registry import effects

    return effects


@pytest.fixture
def uri(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def register(effects, uri, tmp_path, digest):
    model = tmp_path / digest[-4:]
    return effects.register_version(
        tracking_uri=uri,
        name="flights-delay",
        model=model if model.exists() else a_model_folder(model),
        digest=digest,
        effect_key=f"register {digest}",
        tags={"data": DIGESTS[5], "run": "r1"},
    )


def promote(effects, uri, generation, **entry):
    return effects.project_alias(
        tracking_uri=uri,
        name="flights-delay",
        ref="champion",
        generation=generation,
        entry=entry,
        effect_key=f"champion/{generation}",
    )


def test_two_models_are_registered_promoted_and_rolled_back(effects, uri, tmp_path):
    first, second = DIGESTS[:2]
    assert [register(effects, uri, tmp_path, digest) for digest in (first, second, first)] == [
        {"version": "1"},
        {"version": "2"},
        {"version": "1"},
    ]

    promote(effects, uri, 1, target=first, previous=None, held=[])
    promote(effects, uri, 2, target=second, previous=first, held=[], cause={"run": "r2"})
    moved = promote(effects, uri, 3, target=first, previous=None, held=[second])

    assert moved == {"alias": "champion", "version": "1", "generation": 3}
    found = effects.read_registry(uri, "flights-delay")
    assert found["aliases"] == {"champion": "1"}
    assert {digest: [v["version"] for v in versions] for digest, versions in found["versions"].items()} == {
        first: ["1"],
        second: ["2"],
    }
    tags = found["versions"][second][0]["tags"]
    assert (tags["stage"], tags["held"], tags["data"], tags["run"]) == ("deprecated", "true", DIGESTS[5], "r1")


def test_a_late_projection_says_which_generation_stands(effects, uri, tmp_path):
    for digest in DIGESTS[:2]:
        register(effects, uri, tmp_path, digest)
    promote(effects, uri, 2, target=DIGESTS[1], previous=DIGESTS[0], held=[])

    assert promote(effects, uri, 1, target=DIGESTS[0], previous=None, held=[]) == {
        "alias": "champion",
        "version": "2",
        "generation": 2,
    }


def test_versions_of_other_sources_are_shown_apart(effects, uri, tmp_path):
    register(effects, uri, tmp_path, DIGESTS[0])
    from argosy.registry.client import connect

    connect(uri).create_version("flights-delay", source="s3://bucket/model", tags={}, description="")

    found = effects.read_registry(uri, "flights-delay")
    assert found["foreign"] == [{"version": "2", "source": "s3://bucket/model", "tags": {}}]


def test_an_unknown_model_reads_as_empty(effects, uri):
    assert effects.read_registry(uri, "m") == {"name": "m", "versions": {}, "foreign": [], "aliases": {}, "tags": {}}


def test_nothing_is_opened_for_a_model_without_signature_or_digest(effects, uri, tmp_path):
    with pytest.raises(Mistake, match=r"^model digest"):
        register(effects, uri, tmp_path, "sha256:abc")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"signature\.json"):
        effects.register_version(
            tracking_uri=uri, name="m", model=tmp_path / "empty", digest=DIGESTS[0], effect_key="k", tags={}
        )

    assert not (tmp_path / "mlflow.db").exists()
