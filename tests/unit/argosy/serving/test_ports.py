import os
import re

import pytest

from argosy.errors import Mistake
from argosy.serving.ports import find_owner, listen, url_of


def test_port_0_takes_a_free_one():
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_a_taken_port_is_one_message_with_its_owner_and_a_port_that_works():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(Mistake, match=rf"^port {port} on 127\.0\.0\.1 is taken by .*pid {os.getpid()}") as taken:
            listen("127.0.0.1", port)
        other = int(re.search(r"--port (\d+)", str(taken.value))[1])
        listen("127.0.0.1", other).close()


def test_the_owner_of_a_free_port_is_nobody():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

    assert find_owner(port) is None


@pytest.mark.parametrize(
    ("host", "port", "at_fault"),
    [("192.0.2.1", 0, "--host"), ("no such host", 1, "--host"), ("127.0.0.1", 99999, "--port")],
)
def test_an_address_that_is_not_ours_is_a_mistake(host, port, at_fault):
    with pytest.raises(Mistake, match=at_fault):
        listen(host, port)


def test_urls_name_an_address_that_can_be_asked():
    assert url_of("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert url_of("0.0.0.0", 80) == "http://127.0.0.1:80"  # noqa: S104 - nothing is bound
    assert url_of("::", 80) == "http://[::1]:80"
