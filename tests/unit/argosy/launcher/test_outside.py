import http.server
import threading
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from argosy.errors import BadInput, Outage, Unsupported
from argosy.launcher import web
from argosy.launcher.artifacts import materialize
from argosy.launcher.outside import NOTES, SEEN, Import, is_reached, local_path, take_in
from argosy.launcher.step import Input
from argosy.launcher.store import open_store
from tests.fakes.s3_faults import faulty


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def bucket(s3):
    return from_url(s3, client_options={"allow_http": True})


def taken_in(uri, store, metadata=None, **inputs):
    given = {name: Input(value, value) for name, value in inputs.items()}
    return take_in(Import(uri, None, metadata or {}), given, store, "tasks.import")


def laid_out(artifact, store, folder):
    materialize(store, artifact.digest, folder)
    if folder.is_file():
        return folder.read_text()
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/a.csv", "/data/a.csv"),
        ("data/a.csv", "data/a.csv"),
        ("file:///data/a%20b.csv", "/data/a b.csv"),
        ("file://localhost/data/a", "/data/a"),
    ],
)
def test_paths_and_file_uris_are_of_this_machine(uri, path):
    assert local_path(uri) == Path(path)


@pytest.mark.parametrize("uri", ["gs://b/a", "s3://b/a", "az://b/a", "http://h/a", "https://h/a"])
def test_buckets_and_the_web_are_reached(uri):
    assert local_path(uri) is None
    assert is_reached(uri)


@pytest.mark.parametrize("uri", ["oci://r/a", "minio://b/a", "file://other/a"])
def test_no_other_uri_is(uri, store):
    assert not is_reached(uri)
    with pytest.raises(Unsupported) as raised:
        taken_in(uri, store)

    assert str(raised.value) == (
        f"tasks.import: importer ({uri}): cannot be imported: only files, s3://, gs://, az://, http:// and https:// "
        "can be reached; copy it to one of these first"
    )


def test_an_object_is_the_same_artifact_as_a_file_of_its_bytes(store, s3, bucket, tmp_path):
    obstore.put(bucket, "a b.csv", b"a\n1\n")
    (tmp_path / "file").write_text("a\n1\n")

    artifact = taken_in(f"{s3}/a b.csv", store, {"rows": 1.0})

    assert artifact.metadata == {"rows": 1}
    assert artifact == taken_in(str(tmp_path / "file"), store, {"rows": 1})
    assert laid_out(artifact, store, tmp_path / "out") == "a\n1\n"


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_prefix_is_the_same_artifact_as_a_folder_of_its_files(store, s3, bucket, tmp_path, ending):
    for name in ("table/a", "table/deep/b", "table.old", "tables/c"):
        obstore.put(bucket, name, name.encode())
        (tmp_path / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "local" / name).write_text(name)

    artifact = taken_in(f"{s3}/table{ending}", store)

    assert laid_out(artifact, store, tmp_path / "out") == {"a": "table/a", "deep/b": "table/deep/b"}
    assert artifact == taken_in(str(tmp_path / "local/table"), store)


def test_an_importer_takes_its_uri_and_metadata_from_inputs(store, s3, bucket):
    obstore.put(bucket, "a", b"1")
    uri = f"{s3}/a"

    asked = Import("", "uri", {"from": "{{$.inputs.parameters['uri']}}"})
    artifact = take_in(asked, {"uri": Input(uri, uri)}, store, "tasks.import")

    assert artifact.metadata == {"from": uri}


def test_nothing_under_a_uri_is_said(store, s3):
    with pytest.raises(BadInput, match=r"^tasks\.import: importer \(s3://.*/none\): nothing is there; give the URI of"):
        taken_in(f"{s3}/none", store)


def test_credentials_that_may_not_read_are_said(store, s3, bucket, monkeypatch):
    obstore.put(bucket, "a", b"1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")

    with pytest.raises(BadInput, match=r"importer \(s3://.*/a\): these credentials may not read it: .*AWS_SKIP_SIGN"):
        taken_in(f"{s3}/a", store)


def test_a_server_that_is_away_is_an_outage(store, s3_endpoint, s3, monkeypatch):
    with faulty(s3_endpoint) as (endpoint, faults):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        faults.use(["503"] * 100, lambda _method, _path: True)
        with pytest.raises(Outage, match=r"^tasks\.import: importer \(s3://.*/a\): "):
            taken_in(f"{s3}/a", store)


@pytest.fixture
def counted(s3, s3_endpoint, bucket, monkeypatch):
    """Give a URI, its bucket, and a function that tells how often an object was read since it was asked last."""
    obstore.put(bucket, "table/a", b"1")
    obstore.put(bucket, "table/b", b"2")
    read = []

    def note(method, path):
        read.append(path) if method == "GET" and "/table/" in path else None
        return False

    with faulty(s3_endpoint) as (endpoint, faults):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        faults.use(["500"], note)

        def count():
            number = len(read)
            read.clear()
            return number

        yield f"{s3}/table", bucket, count


def test_what_has_the_tags_it_had_is_not_read_again(store, counted):
    uri, _, count = counted
    first = taken_in(uri, store)
    assert count() == 2

    again = taken_in(uri, store, {"other": "metadata"})

    assert count() == 0
    assert taken_in(uri, store) == first != again


def test_what_has_another_tag_is_read_again(store, counted, tmp_path):
    uri, bucket, count = counted
    taken_in(uri, store)
    obstore.put(bucket, "table/b", b"3")

    assert laid_out(taken_in(uri, store), store, tmp_path / "out") == {"a": "1", "b": "3"}
    assert count() == 4


def test_what_the_store_lost_is_read_again(store, counted):
    uri, _, count = counted
    artifact = taken_in(uri, store)
    for sha256 in artifact.blobs:
        store.delete(f"blobs/sha256/{sha256[:2]}/{sha256[2:]}")

    assert taken_in(uri, store) == artifact
    assert count() == 4
    assert all(store.is_sound(sha256, size) for sha256, size in artifact.blobs.items())


def test_what_a_gc_may_be_about_to_delete_is_read_again(store, counted):
    uri, _, count = counted
    artifact = taken_in(uri, store)
    store.write_json(NOTES, {"blobs": dict.fromkeys(artifact.blobs, "2026-01-01T00:00:00+00:00")})

    taken_in(uri, store)

    assert count() == 4


def test_what_was_noted_of_imports_is_a_cache(store, counted):
    uri, _, count = counted
    taken_in(uri, store)
    (path,) = store.paths(SEEN)
    store.write(path, b"torn")

    taken_in(uri, store)

    assert count() == 4


class Site(http.server.BaseHTTPRequestHandler):
    """Answers as `answers` say, by path: a status, headers, a body; of a list each once."""

    answers = {}  # noqa: RUF012  # set anew by each test
    asked = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.path)
        answer = self.answers.get(self.path, (404, {}, b""))
        status, headers, body = answer.pop(0) if isinstance(answer, list) else answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    """Give the URL of a web server, and what it answers."""
    monkeypatch.setattr(Site, "answers", {})
    monkeypatch.setattr(Site, "asked", [])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_of_the_web_is_the_same_artifact_as_one_of_this_machine(store, site, tmp_path):
    Site.answers = {
        "/a?version=2": (302, {"Location": "/b%20c"}, b""),
        "/b%20c": (200, {"Content-Type": "text/csv"}, b"a\n1\n"),
    }
    (tmp_path / "file").write_text("a\n1\n")

    assert taken_in(f"{site}/a?version=2", store) == taken_in(str(tmp_path / "file"), store)


@pytest.mark.parametrize(("tag", "reads"), [('"1"', 1), ('W/"1"', 2), (None, 2)])
def test_only_a_strong_tag_spares_reading_again(store, site, tag, reads):
    Site.answers = {"/a": (200, {"ETag": tag} if tag else {}, b"1")}
    before = taken_in(f"{site}/a", store)
    Site.asked.clear()

    assert taken_in(f"{site}/a", store) == before
    assert len(Site.asked) == reads


def test_what_changes_while_it_is_read_is_an_outage(store, site):
    Site.answers = {"/a": [(200, {"ETag": '"1"'}, b"1"), (200, {"ETag": '"2"'}, b"1")]}

    with pytest.raises(Outage, match=r"importer \(http://.*/a\): http://.*/a changed while it was read; run again"):
        taken_in(f"{site}/a", store)


@pytest.mark.parametrize(("status", "kind"), [(404, BadInput), (403, BadInput), (500, Outage), (429, Outage)])
def test_what_a_server_answers_is_said(store, site, status, kind):
    Site.answers = {"/a": (status, {}, b"")}

    with pytest.raises(kind, match=rf"importer \(http://.*/a\): the server answered {status} "):
        taken_in(f"{site}/a", store)


def test_bytes_that_do_not_come_are_an_outage(store, site):
    Site.answers = {"/a": (200, {"Content-Length": "9"}, b"1")}

    with pytest.raises(Outage, match="1 bytes of 9 came"):
        taken_in(f"{site}/a", store)


def test_a_server_that_says_nothing_is_an_outage(store, monkeypatch):
    monkeypatch.setattr(web, "SILENCE_S", 0.1)
    silent = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)

    with pytest.raises(Outage, match="timed out"):
        taken_in(f"http://127.0.0.1:{silent.server_port}/a", store)
    silent.server_close()


def test_nobody_at_a_port_is_an_outage(store):
    with pytest.raises(Outage, match="Connection refused"):
        taken_in("http://127.0.0.1:9/a", store)


def test_a_uri_that_is_none_is_bad(store):
    with pytest.raises(BadInput, match="write %20 and its like in the URI"):
        taken_in("http://127.0.0.1:9/a b", store)
