import socket
import sqlite3
from contextlib import closing

import pytest

from argosy.errors import Mistake, Outage

# MLflow's own use of SQLAlchemy, said when its SQL store is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


# Numbers of MLflow's error codes (databricks.proto).
INTERNAL_ERROR, TEMPORARILY_UNAVAILABLE, BAD_REQUEST, PERMISSION_DENIED = 1, 2, 4, 1004


@pytest.fixture
def client():
    from argosy.registry import client

    return client


@pytest.fixture
def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("uri", ["", "mlruns", "/tmp/mlflow.db", "sqlite:///", "postgresql://host/db", "http://"])  # noqa: S108
def test_a_uri_of_another_kind_is_a_mistake_that_says_what_is_allowed(client, uri):
    with pytest.raises(Mistake, match=r"^tracking_uri: got .* allowed are sqlite:///"):
        client.connect(uri)


def test_a_password_in_a_refused_uri_is_not_repeated(client):
    with pytest.raises(Mistake) as refused:
        client.connect("postgresql://me:secret@host/db")

    assert "secret" not in str(refused.value)


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_an_outage_with_its_uri_and_without_its_password(
    client, closed_port, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(Outage, match=rf"^registry http://127\.0\.0\.1:{closed_port}") as outage:
        client.connect(f"http://me:secret@127.0.0.1:{closed_port}").list_versions("m")

    assert "secret" not in str(outage.value)


def test_a_name_that_mlflow_refuses_is_a_mistake(client, tmp_path):
    registry = client.connect(f"sqlite:///{tmp_path / 'mlflow.db'}")

    with pytest.raises(Mistake, match="INVALID_PARAMETER_VALUE: Invalid model name 'a/b'"):
        registry.create_model("a/b")


def test_versions_beyond_one_page_are_all_listed(client, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "PAGE", 2)
    registry = client.connect(f"sqlite:///{tmp_path / 'mlflow.db'}")
    registry.create_model("m")
    for _ in range(5):
        registry.create_version("m", source="argosy://sha256/x", tags={}, description="")

    assert [version.number for version in registry.list_versions("m")] == [1, 2, 3, 4, 5]


def test_a_write_that_met_its_twin_is_made_again(client):
    tags = {}

    class Racing:
        refusals = 1

        def set_registered_model_tag(self, name, key, value):
            if self.refusals:
                self.refusals -= 1
                raise client.MlflowException("UNIQUE constraint failed", error_code=BAD_REQUEST)
            tags[name, key] = value

    client.MlflowRegistry(Racing(), uri="http://registry").tag_model("m", "stage", "x")

    assert tags == {("m", "stage"): "x"}


def test_what_the_registry_refuses_is_a_mistake_and_all_else_an_outage(client):
    def told(code):
        return type(client.in_our_terms(client.MlflowException("no", error_code=code), uri="http://registry"))

    codes = (BAD_REQUEST, PERMISSION_DENIED, INTERNAL_ERROR, TEMPORARILY_UNAVAILABLE)
    assert [told(code) for code in codes] == [Mistake, Mistake, Outage, Outage]


def test_a_database_of_an_older_mlflow_is_a_mistake_that_says_how_to_upgrade(client, tmp_path):
    from argosy.registry.schema import ensure_schema

    path = tmp_path / "mlflow.db"
    ensure_schema(str(path))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update alembic_version set version_num = '1b5f0d9ad7c1'")

    with pytest.raises(Mistake, match=r"out-of-date database schema .* 'mlflow db upgrade"):
        client.connect(f"sqlite:///{path}")


def test_a_registry_that_nobody_answers_for_is_named_without_its_librarys_words(client):
    error = client.MlflowException(
        "API request to http://r/api failed: HTTPConnectionPool(host='r', port=9): Max retries exceeded with url: /api",
        error_code=INTERNAL_ERROR,
    )

    said = client.in_our_terms(error, uri="http://user:secret@r")

    assert isinstance(said, Outage)
    assert str(said) == "registry http://r: does not answer; is it up? the same command may work later"
