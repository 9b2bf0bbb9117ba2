import pytest

from argosy.launcher.deployment import served_digest, serves


@pytest.mark.parametrize("prefix", ["", "/models/flights"])
def test_a_server_says_which_digest_it_serves(answering, prefix):
    url = answering(b'{"model": "sha256:m"}', prefix)

    assert serves(url, "sha256:m")
    assert serves(f"{url}/", "sha256:m")
    assert not serves(url, "sha256:other")


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b"null", b"{}", b'{"model": null}', b'{"model": 3}'])
def test_a_server_that_says_anything_else_serves_nothing(answering, body):
    assert served_digest(answering(body)) is None


def test_a_server_that_does_not_answer_serves_nothing():
    assert served_digest("http://127.0.0.1:9") is None
    assert served_digest("https://127.0.0.1:9") is None
