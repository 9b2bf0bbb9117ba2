import sqlite3
from contextlib import closing

import pytest

from argosy.errors import Mistake, Outage
from tests.fakes.registry import KilledError

# MLflow's own use of SQLAlchemy, said when its SQL store is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")


@pytest.fixture
def schema():
    from argosy.registry import schema

    return schema


def statements(path):
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("select type, name, sql from sqlite_master").fetchall()
    # The migrations write a table's constraints in an order that differs from process to process.
    return sorted(
        (kind, name, sorted(line.strip(" \t,") for line in (sql or "").splitlines())) for kind, name, sql in found
    )


def test_the_schema_is_the_one_that_mlflow_makes_in_the_file_itself(schema, tmp_path):
    schema.ensure_schema(str(tmp_path / "folder" / "ours.db"))
    store = schema.SqlAlchemyStore(f"sqlite:///{tmp_path / 'theirs.db'}")
    store.engine.dispose()

    assert statements(tmp_path / "folder" / "ours.db") == statements(tmp_path / "theirs.db")


def test_a_database_that_is_there_is_left_as_it_is(schema, tmp_path):
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table mine (x)")

    schema.ensure_schema(str(path))

    assert [name for _, name, _ in statements(path)] == ["mine"]


def test_an_interrupted_creation_leaves_no_database_and_the_next_one_makes_it(schema, tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"

    def half(draft):
        draft.write_bytes(b"half a database")
        raise KilledError

    write_schema = schema.write_schema
    monkeypatch.setattr(schema, "write_schema", half)
    with pytest.raises(KilledError):
        schema.ensure_schema(str(path))
    assert [found.name for found in tmp_path.glob("mlflow.db*")] != []
    assert not path.exists()

    monkeypatch.setattr(schema, "write_schema", write_schema)
    schema.ensure_schema(str(path))

    assert ("table", "registered_models") in [entry[:2] for entry in statements(path)]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_a_database_that_appears_meanwhile_is_not_replaced(schema, tmp_path, monkeypatch):
    path = tmp_path / "mlflow.db"

    def overtaken(draft):
        draft.write_bytes(b"ours")
        path.touch()

    monkeypatch.setattr(schema, "write_schema", overtaken)
    schema.ensure_schema(str(path))

    assert path.read_bytes() == b""
    assert not (tmp_path / "mlflow.db.new").exists()


def test_a_file_that_is_no_database_is_a_mistake(schema, tmp_path):
    (tmp_path / "mlflow.db").write_text("some text, which is no database" * 100)

    with pytest.raises(Mistake, match=r"mlflow\.db: file is not a database"):
        schema.ensure_schema(str(tmp_path / "mlflow.db"))


def test_a_folder_that_cannot_be_made_is_an_outage(schema, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(Outage, match=r"file/mlflow\.db: cannot be opened"):
        schema.ensure_schema(str(tmp_path / "file" / "mlflow.db"))
