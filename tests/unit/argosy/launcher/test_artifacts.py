import os
import time

import pytest

from argosy.errors import Outage, StepFailed
from argosy.launcher.artifacts import is_sound, materialize, read_manifest, store_artifact
from argosy.launcher.store import open_store


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def tree(folder, files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


FILES = {"b.txt": "two", "a.txt": "one", "sub/c.txt": "three"}


def test_a_digest_does_not_depend_on_times_modes_order_or_place(tmp_path, store):
    first = tree(tmp_path / "first", FILES)
    second = tree(tmp_path / "elsewhere" / "second", dict(reversed(FILES.items())))
    (second / "a.txt").chmod(0o755)
    os.utime(second / "b.txt", (1, 1))
    os.utime(second, (1, 1))

    assert store_artifact(store, first, {}) == store_artifact(store, second, {})


@pytest.mark.parametrize(
    "other",
    [{**FILES, "a.txt": "One"}, {**FILES, "d.txt": ""}, {"b.txt": "two", "a.txt": "one", "c.txt": "three"}, {}],
    ids=["bytes", "another file", "another name", "no files"],
)
def test_bytes_and_names_enter_a_digest(tmp_path, store, other):
    one, two = tree(tmp_path / "one", FILES), tree(tmp_path / "two", other)

    assert store_artifact(store, one, {}).digest != store_artifact(store, two, {}).digest


def test_metadata_enters_a_digest(tmp_path, store):
    folder = tree(tmp_path / "model", FILES)

    digests = {store_artifact(store, folder, metadata).digest for metadata in ({}, {"framework": "onnx"})}

    assert len(digests) == 2


def test_absent_an_empty_folder_and_an_empty_file_are_three_artifacts(tmp_path, store):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    kinds = {name: store_artifact(store, tmp_path / name, {}) for name in ("absent", "folder", "file")}

    assert len({artifact.digest for artifact in kinds.values()}) == 3
    assert {name: read_manifest(store, kinds[name].digest)["kind"] for name in kinds} == {
        "absent": "absent",
        "folder": "folder",
        "file": "file",
    }


def test_an_artifact_comes_back_as_it_was_and_read_only(tmp_path, store):
    artifact = store_artifact(store, tree(tmp_path / "folder", FILES), {})

    materialize(store, artifact.digest, tmp_path / "back")

    found = {path.relative_to(tmp_path / "back").as_posix(): path for path in (tmp_path / "back").rglob("*.txt")}
    assert {name: path.read_text() for name, path in found.items()} == FILES
    assert all(path.stat().st_mode & 0o222 == 0 for path in found.values())
    assert all(path.stat().st_nlink == 1 for path in found.values())
    # Root, to whom nothing is read-only, gets copies.
    assert {path.is_symlink() for path in found.values()} == {os.geteuid() != 0}


def test_a_single_file_comes_back_as_a_file(tmp_path, store):
    (tmp_path / "file").write_text("text")
    artifact = store_artifact(store, tmp_path / "file", {})

    materialize(store, artifact.digest, tmp_path / "in" / "back")

    assert (tmp_path / "in" / "back").read_text() == "text"


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_nothing_and_an_empty_folder_come_back_as_such(tmp_path, store, kind):
    (tmp_path / "folder").mkdir()
    artifact = store_artifact(store, tmp_path / kind, {})

    materialize(store, artifact.digest, tmp_path / "back")

    assert (tmp_path / "back").is_dir() == (kind == "folder")


def test_files_of_equal_bytes_share_a_blob(tmp_path, store):
    artifact = store_artifact(store, tree(tmp_path / "folder", {"a": "same", "b": "same"}), {})

    assert len(artifact.blobs) == 2


def test_links_to_files_are_stored_as_what_they_name(tmp_path, store):
    plain = tree(tmp_path / "plain", {"a.txt": "one"})
    linked = tree(tmp_path / "linked", {})
    (linked / "a.txt").symlink_to(plain / "a.txt")

    assert store_artifact(store, linked, {}) == store_artifact(store, plain, {})


@pytest.mark.parametrize("target", ["plain", "nowhere"])
def test_a_link_that_would_be_left_out_in_silence_is_refused(tmp_path, store, target):
    tree(tmp_path / "plain", {"a.txt": "one"})
    folder = tree(tmp_path / "out", {"b.txt": "two"})
    (folder / "link").symlink_to(tmp_path / target)

    with pytest.raises(StepFailed, match="link in out is neither a file nor a folder"):
        store_artifact(store, folder, {})


def test_a_lost_manifest_is_an_outage_that_says_what_to_do(tmp_path, store):
    artifact = store_artifact(store, tree(tmp_path / "folder", FILES), {})
    store.blob_file(artifact.digest.removeprefix("sha256:")).unlink()

    with pytest.raises(Outage, match="run the pipeline again"):
        read_manifest(store, artifact.digest)
    assert not is_sound(store, artifact)


def test_a_damaged_file_is_not_laid_out(tmp_path, store):
    artifact = store_artifact(store, tree(tmp_path / "folder", {"a.txt": "one"}), {})
    blob = next(blob for blob, size in artifact.blobs.items() if size == 3)
    store.blob_file(blob).chmod(0o644)
    store.blob_file(blob).write_text("1ne")
    time.sleep(0.03)

    with pytest.raises(Outage, match=blob):
        materialize(store, artifact.digest, tmp_path / "back")
    assert not is_sound(store, artifact)
