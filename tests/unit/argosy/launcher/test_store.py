import http.server
import json
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from argosy.errors import Mistake, Outage
from argosy.launcher.store import blob_path, open_store
from tests.fakes.projects import ROOT, project_env

RACER = """
import sys, time
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from argosy.launcher.store import open_store
store, me = open_store(sys.argv[1], state=Path.cwd()), sys.argv[2]
Path(f"ready-{me}").touch()
while not Path("go").exists():
    time.sleep(0.001)
with ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: store.create_json("refs/x/00000001.json", {"by": f"{me}-{n}"}), range(4))))
"""


DATA = b"some bytes that matter"


@pytest.fixture(params=["folder", "s3"])
def url(request, tmp_path):
    """Give the URL of an empty store of each kind."""
    return str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("s3")


@pytest.fixture
def store(url, tmp_path):
    return open_store(url, state=tmp_path / "state")


@pytest.fixture
def folder(tmp_path):
    """Give a store in a folder of this machine."""
    return open_store(str(tmp_path / "store"))


def put(store, data=DATA):
    sha256 = store.put_bytes(data)
    time.sleep(0.03)
    assert store.is_sound(sha256, len(data))
    return sha256, len(data), store.blob_file(sha256)


def flip_object(store, path):
    """Replace an object by one of equal size."""
    data = bytearray(store.read(path))
    data[3] ^= 1
    store.write(path, bytes(data))


def flip(path):
    """Flip a bit, keeping size and times."""
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_one_of_sixteen_threads_creates_a_document(store):
    barrier = threading.Barrier(16)

    def create(number):
        barrier.wait()
        return store.create_json("steps/k/00000001.json", {"by": number})

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))

    assert won.count(True) == 1
    assert store.read_json("steps/k/00000001.json") == {"by": won.index(True)}


def test_one_of_sixteen_writers_in_four_processes_creates_a_document(tmp_path, url):
    command, started = [sys.executable, "-c", RACER, url], {"cwd": tmp_path, "env": project_env(ROOT)}
    racers = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, **started) for n in range(4)]
    while sum((tmp_path / f"ready-{n}").exists() for n in range(4)) < 4:
        time.sleep(0.01)
    (tmp_path / "go").touch()

    assert sum(int(racer.communicate()[0]) for racer in racers) == 1


@pytest.mark.parametrize(
    "damage", [flip_object, lambda store, path: store.write(path, b"some "), lambda store, path: store.delete(path)]
)
def test_a_damaged_blob_is_not_sound_and_a_put_repairs_it(store, damage):
    sha256, size, _ = put(store)

    damage(store, blob_path(sha256))

    assert not store.is_sound(sha256, size)
    assert store.read_blob(sha256) is None
    assert store.put_bytes(DATA) == sha256
    assert store.is_sound(sha256, size, reread=True)


def test_a_flip_that_keeps_size_and_times_is_noticed_on_this_machine(folder):
    sha256, size, path = put(folder)

    flip(path)

    assert not folder.is_sound(sha256, size)
    assert folder.put_bytes(DATA) == sha256
    assert folder.is_sound(sha256, size, reread=True)


def test_a_machine_that_never_saw_a_remote_blob_notices_other_bytes_of_its_size_when_it_reads(tmp_path, s3):
    sha256, size, _ = put(open_store(s3, state=tmp_path / "one"))
    elsewhere = open_store(s3, state=tmp_path / "another")

    flip_object(elsewhere, blob_path(sha256))

    assert elsewhere.is_sound(sha256, size)
    assert not elsewhere.is_sound(sha256, size, reread=True)
    with pytest.raises(Outage, match="missing or damaged"):
        elsewhere.fetch_blob(sha256, size, tmp_path / "target")


def test_a_blob_that_is_young_is_not_put_again_and_one_that_a_gc_may_forget_is(store, monkeypatch):
    sha256, size, _ = put(store)
    before = store.entry(blob_path(sha256)).modified
    time.sleep(1.1)

    store.put_bytes(DATA)
    young = store.entry(blob_path(sha256)).modified
    later = store.now() + timedelta(hours=13)
    monkeypatch.setattr(store, "now", lambda: later)
    store.put_bytes(DATA)

    assert young == before
    assert store.entry(blob_path(sha256)).modified > before
    assert store.is_sound(sha256, size, reread=True)


def test_the_clock_of_a_store_is_the_one_that_its_entries_go_by(store):
    store.write("x", b"1")

    assert abs(store.now() - store.entry("x").modified) < timedelta(seconds=5)
    assert store.entry("y") is None


def test_putting_a_file_repairs_its_damaged_blob(tmp_path, store):
    (tmp_path / "file").write_bytes(DATA)
    sha256, size = store.put_file(tmp_path / "file")
    flip_object(store, blob_path(sha256))

    store.put_file(tmp_path / "file")

    assert store.is_sound(sha256, size)
    assert store.read_blob(sha256) == DATA
    assert store.root is None or list((tmp_path / "store" / "staging").iterdir()) == []


def test_a_blob_is_read_only(tmp_path, folder):
    (tmp_path / "file").write_bytes(b"x")
    sha256, _ = folder.put_file(tmp_path / "file")

    assert folder.blob_file(sha256).stat().st_mode & 0o777 == 0o444


def test_a_damaged_blob_is_not_handed_out(tmp_path, store):
    sha256, size, _ = put(store)
    flip_object(store, blob_path(sha256))

    with pytest.raises(Outage, match="missing or damaged"):
        store.fetch_blob(sha256, size, tmp_path / "target")


def test_reading_again_does_not_trust_a_stamp(folder):
    sha256, size, path = put(folder)
    flip(path)
    # A stamp that lies: as if size, times and inode could all be kept.
    stat = path.stat()
    text = f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"
    folder.stamps._db.execute("update stamp set stat = ?, seen = ?", (text, time.time_ns() + 10**9))

    assert folder.is_sound(sha256, size)
    assert not folder.is_sound(sha256, size, reread=True)
    assert not folder.is_sound(sha256, size)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"null", b"[]", b"{}", b'{"auc":0.84,"seal":"sha256:0"}'],
    ids=["empty", "torn", "null", "list", "nothing", "foreign"],
)
def test_a_damaged_document_reads_as_none(store, damage):
    store.write_json("steps/k/00000001.json", {"auc": 0.83})

    store.write("steps/k/00000001.json", damage)

    assert store.read_json("steps/k/00000001.json") is None
    assert store.latest("steps/k") == (1, None)


def test_a_flipped_digit_in_a_document_is_noticed(store):
    store.write_json("steps/k/00000001.json", {"auc": 0.83})
    raw = store.read("steps/k/00000001.json")

    store.write("steps/k/00000001.json", raw.replace(b"0.83", b"0.93"))

    assert json.loads(store.read("steps/k/00000001.json"))["auc"] == 0.93
    assert store.read_json("steps/k/00000001.json") is None


def test_a_document_reads_as_it_was_written(store):
    document = {"a": [1, 2.5, None, "ü"], "b": {"c": True}}

    store.write_json("runs/r/result.json", document)

    assert store.read_json("runs/r/result.json") == document


def test_generations_of_a_nested_folder_are_not_those_of_the_folder(store):
    store.append("refs/flights/champion", 1, {"target": "a"})
    store.append("refs/flights/champion", 2, {"target": "b"})

    assert store.latest("refs/flights") == (0, None)
    assert store.generations("refs/flights/champion") == [1, 2]


def test_deleting_what_is_not_there_is_no_error(store):
    store.delete("runs/none")


@pytest.mark.parametrize("name", ["with space", "käse#1", "100%"])
def test_any_folder_name_holds_a_store(tmp_path, name):
    store = open_store(str(tmp_path / name))
    sha256 = store.put_bytes(b"x")

    assert (tmp_path / name / blob_path(sha256)).read_bytes() == b"x"


def test_a_file_url_names_the_same_store_as_its_path(tmp_path):
    sha256 = open_store((tmp_path / "a b").as_uri()).put_bytes(b"x")

    assert open_store(str(tmp_path / "a b")).is_sound(sha256, 1)


def test_a_store_below_a_file_is_a_mistake(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(Mistake, match=r"file.*cannot be read or written.*--store or ARGOSY_STORE"):
        open_store(str(tmp_path / "file" / "store"))


@pytest.mark.parametrize("occupied", ["blobs", "staging"])
def test_a_store_that_cannot_be_written_is_a_mistake(tmp_path, folder, occupied):
    (tmp_path / "store" / occupied).touch()
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(Mistake, match="choose another with --store"):
        folder.put_file(tmp_path / "file")


def test_documents_that_cannot_be_written_are_a_mistake(tmp_path, folder):
    (tmp_path / "store" / "runs").touch()

    with pytest.raises(Mistake, match=r"runs/r/run\.json"):
        folder.create_json("runs/r/run.json", {})


@pytest.mark.parametrize("url", ["foo://bucket/prefix", "s3://"])
def test_an_unknown_url_is_a_mistake_that_lists_the_known_ones(tmp_path, url):
    with pytest.raises(Mistake, match=r"give a folder or an s3://, gs:// or az:// URL") as caught:
        open_store(url, state=tmp_path)

    assert "\n" not in str(caught.value)


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Return a function that opens a bucket of an endpoint on loopback."""

    def open_bucket(port):
        env = {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "REGION": "us-east-1", "ALLOW_HTTP": "true"}
        for name, value in env.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        return open_store("s3://bucket/prefix", state=tmp_path)

    return open_bucket


def test_an_endpoint_that_nobody_answers_is_an_outage_within_seconds(bucket):
    began = time.monotonic()

    with pytest.raises(Outage, match=r"^store s3://bucket/prefix: steps/k: .*after 4 retries"):
        bucket(9).read("steps/k")

    assert time.monotonic() - began < 10


@pytest.fixture
def answering(bucket):
    """Return a function that opens a bucket whose endpoint answers everything with one status."""
    servers = []

    def serve(status, body=b""):
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_HEAD = answer  # noqa: N815 - names that http.server looks for

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return bucket(server.server_port)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_refused_credential_is_a_mistake(answering):
    with pytest.raises(Mistake, match="cannot be read or written"):
        answering(403).read("steps/k")


def test_writing_to_a_bucket_that_is_not_there_is_a_mistake(answering):
    body = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"

    with pytest.raises(Mistake, match="choose another with --store"):
        answering(404, body).create_json("runs/r/run.json", {})


def test_a_missing_remote_object_reads_as_none(answering):
    store = answering(404)

    assert store.read("steps/k") is None
    assert not store.is_sound("0" * 64, 3)


def test_a_remote_blob_of_other_bytes_is_not_handed_out(tmp_path, answering):
    store = answering(200, b"other")

    with pytest.raises(Outage, match="missing or damaged"):
        store.fetch_blob("0" * 64, 5, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_file_of_several_parts_comes_back_as_it_was(tmp_path, store):
    (tmp_path / "file").write_bytes(os.urandom(11_000_000))

    sha256, size = store.put_file(tmp_path / "file")
    store.fetch_blob(sha256, size, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()
    assert store.is_sound(sha256, size)
    assert b"".join(store.blob_chunks(sha256)) == (tmp_path / "file").read_bytes()


def test_a_blob_comes_back_piece_by_piece_unless_it_is_damaged(tmp_path):
    store = open_store(str(tmp_path / "store"))
    sha256 = store.put_bytes(b"x" * 3_000_000)

    assert [len(chunk) for chunk in store.blob_chunks(sha256)] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]
    assert store.blob_chunks("0" * 64) is None
    store.blob_file(sha256).chmod(0o644)
    store.blob_file(sha256).write_bytes(b"y")
    assert store.blob_chunks(sha256) is None


def test_a_store_without_room_is_an_outage_that_names_the_file(tmp_path):
    store = open_store(str(tmp_path / "store"))
    big = tmp_path / "big"
    big.write_bytes(bytes(100_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(Outage, match=r"store .*: no room is left: free some space .*/big: .*File too large"):
            store.put_file(big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "store" / "staging").iterdir()) == []


def test_a_step_that_opens_a_remote_store_leaves_nothing_where_it_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGOSY_STORE", "s3://bucket/prefix")
    monkeypatch.setenv("ARGOSY_STATE", str(tmp_path / "state"))

    open_store()

    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert (tmp_path / "state" / "stamps.sqlite").exists()
