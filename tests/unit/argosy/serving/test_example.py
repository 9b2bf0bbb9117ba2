import json
import shlex

from argosy.serving.example import curl_example
from tests.fakes.serving import SIGNATURE


def test_the_command_is_one_that_a_shell_reads_back():
    tricky = {**SIGNATURE, "example": {"class": "O'Hare $HOME", "temp": None}}

    words = shlex.split(curl_example("http://127.0.0.1:8080/", tricky))

    assert words[:3] == ["curl", "-s", "http://127.0.0.1:8080/predict"]
    assert words[words.index("-H") + 1] == "Content-Type: application/json"
    assert json.loads(words[-1]) == {"features": tricky["example"]}
