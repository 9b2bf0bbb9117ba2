"""What every registry must do, held against the fake, MLflow on SQLite and an MLflow server."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from argosy.registry.projection import Generation, project
from argosy.registry.protocol import RegisteredModel, Version
from argosy.registry.source import source_of
from argosy.registry.tags import KEY, STAGE
from argosy.registry.versions import settle_version
from tests.fakes.registry import DIGESTS, FakeRegistry, dying, kill_this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from argosy.registry.protocol import Registry

# MLflow's own use of SQLAlchemy, said when its SQL store is first imported.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")

FIRST, SECOND = (
    Version(0, source_of(digest), {KEY: f"key of {digest}", STAGE: "staging"}, "a model") for digest in DIGESTS[:2]
)
PROMOTION = Generation("m/champion", 2, target=DIGESTS[1], previous=DIGESTS[0], held=(DIGESTS[0],), key="champion/2")
CALLS = {"register": 5, "promote": 11}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from argosy.registry.schema import ensure_schema

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    ensure_schema(str(path))
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> str:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_database, folder / "mlflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--port", str(port), "--workers", "1"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(url)


@pytest.fixture(params=["fake", "sqlite", pytest.param("server", marks=pytest.mark.slow)])
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    if request.param == "fake":
        yield FakeRegistry()
    elif request.param == "sqlite":
        yield connect(request.getfixturevalue("database"))
    else:
        yield connect(request.getfixturevalue("server"))
        forget(request.getfixturevalue("server"))


def forget(uri: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    with contextlib.suppress(MlflowException):
        MlflowClient(tracking_uri=uri, registry_uri=uri).delete_registered_model("m")


def connect(uri: str) -> Registry:
    from argosy.registry.client import connect

    return connect(uri)


def test_an_unknown_model_has_no_versions_and_is_none(registry):
    assert registry.find_model("m") is None
    assert registry.list_versions("m") == []


def test_creating_a_model_again_takes_it_as_it_is(registry):
    registry.create_model("m")
    registry.tag_model("m", "owner", "us")

    registry.create_model("m")

    assert registry.find_model("m") == RegisteredModel(tags={"owner": "us"})


def test_versions_are_numbered_in_order_and_found_by_source(registry):
    registry.create_model("m")
    for version in (FIRST, SECOND, FIRST):
        registry.create_version("m", source=version.source, tags=version.tags, description="a model")

    assert [version.number for version in registry.list_versions("m")] == [1, 2, 3]
    assert registry.list_versions("m", source=SECOND.source) == [Version(2, SECOND.source, SECOND.tags, "a model")]
    assert [version.number for version in registry.list_versions("m", source=FIRST.source)] == [1, 3]
    assert registry.list_versions("another") == []


def test_a_deleted_version_stays_gone_and_its_number_is_not_given_again(registry):
    registry.create_model("m")
    for _ in range(2):
        registry.create_version("m", source=FIRST.source, tags={}, description="")

    registry.delete_version("m", 2)
    registry.delete_version("m", 2)
    registry.create_version("m", source=SECOND.source, tags={}, description="")

    assert [version.number for version in registry.list_versions("m")] == [1, 3]


def test_tags_and_aliases_are_replaced_and_removed(registry):
    registry.create_model("m")
    registry.create_version("m", source=FIRST.source, tags={"stage": "staging", "run": "r1"}, description="")
    for value in ("1", "1", "2", None, None):
        registry.tag_model("m", "kept", "yes")
        registry.tag_model("m", "gone", value)
        registry.tag_version("m", 1, "stage", value)
        registry.set_alias("m", "champion", 1)

    assert registry.find_model("m") == RegisteredModel(tags={"kept": "yes"}, aliases={"champion": 1})
    assert registry.list_versions("m")[0].tags == {"run": "r1"}


def test_a_version_is_registered_once_and_promoted(registry):
    for version in (FIRST, SECOND, FIRST, SECOND):
        settle_version(registry, "m", version)
    for number in (1, 2):
        project(registry, "m", Generation("m/champion", 1, target=DIGESTS[0], previous=None, held=(), key="champion/1"))
        assert project(registry, "m", PROMOTION)[1] == 2, number

    assert_promoted(registry)


def test_a_released_hold_is_removed(registry):
    for version in (FIRST, SECOND):
        settle_version(registry, "m", version)
    project(registry, "m", PROMOTION)

    project(
        registry, "m", Generation("m/champion", 3, target=DIGESTS[1], previous=DIGESTS[0], held=(), key="champion/3")
    )

    assert [version.tags.get("held") for version in registry.list_versions("m")] == [None, None]


def assert_promoted(registry: Registry) -> None:
    """Two versions, the second is the champion, the first deprecated and held, one announcement."""
    first, second = registry.list_versions("m")
    model = registry.find_model("m")
    assert (first.number, first.source, first.tags) == (
        1,
        FIRST.source,
        {**FIRST.tags, STAGE: "deprecated", "held": "true"},
    )
    assert (second.source, second.tags) == (SECOND.source, {**SECOND.tags, STAGE: "production"})
    assert model
    assert model.aliases == {"champion": second.number}
    assert [key for key in model.tags if key.startswith("argosy.ref.")] == ["argosy.ref.m/champion.2"]
    assert json.loads(model.tags["argosy.ref.m/champion.2"])["target"] == DIGESTS[1]


# The processes of the tests below come from one server that has imported MLflow and opened no database.


@pytest.fixture(scope="session")
def start() -> Callable[..., multiprocessing.Process]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["argosy.registry.effects", "argosy.registry.schema", __name__])
    return lambda *args: context.Process(target=args[0], args=args[1:], daemon=True)


def register_second(registry: Registry) -> None:
    settle_version(registry, "m", SECOND)


def promote(registry: Registry) -> None:
    project(registry, "m", PROMOTION)


ACTS = {"register": register_second, "promote": promote}


def act(uri: str, name: str, at: int, after: bool) -> None:
    registry = connect(uri)
    ACTS[name](dying(registry, at=at, after=after, die=kill_this_process))


def act_after(barrier, uri: str) -> None:
    barrier.wait(timeout=60)
    registry = connect(uri)
    for version in (FIRST, SECOND):
        settle_version(registry, "m", version)
    project(registry, "m", Generation("m/champion", 1, target=DIGESTS[0], previous=None, held=(), key="champion/1"))
    project(registry, "m", PROMOTION)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("name", "at"), [(name, at) for name, calls in CALLS.items() for at in range(calls)])
def test_sigkill_around_any_call_to_mlflow_then_a_second_run(start, database, name, at, after):
    registry = connect(database)
    settle_version(registry, "m", FIRST)
    if name == "promote":
        settle_version(registry, "m", SECOND)
    project(registry, "m", Generation("m/champion", 1, target=DIGESTS[0], previous=None, held=(), key="champion/1"))

    process = start(act, database, name, at, after)
    process.start()
    process.join(60)

    last = at >= CALLS[name] - 1
    assert process.exitcode in ({-signal.SIGKILL, 0} if last else {-signal.SIGKILL})
    register_second(registry)
    promote(registry)
    assert_promoted(registry)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(3))
def test_four_processes_at_once_on_a_database_that_none_has_made(start, tmp_path, attempt):
    uri = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    barrier = multiprocessing.get_context("forkserver").Barrier(4)
    processes = [start(act_after, barrier, uri) for _ in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert_promoted(connect(uri))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["mlflow.db", "mlflow.db.lock"]
