import subprocess
import sys

import pytest

from argosy.errors import Mistake
from argosy.registry.source import digest_of, source_of
from tests.fakes.registry import DIGESTS


def test_a_source_names_its_digest():
    assert source_of(DIGESTS[0]) == "argosy://sha256/" + "a" * 64
    assert digest_of(source_of(DIGESTS[0])) == DIGESTS[0]
    assert digest_of(source_of(DIGESTS[0]) + "/") == DIGESTS[0]


@pytest.mark.parametrize("source", ["s3://bucket/model", "argosy://sha256/abc", "argosy://md5/" + "a" * 64, ""])
def test_a_source_of_another_kind_names_none(source):
    assert digest_of(source) is None


@pytest.mark.parametrize("digest", ["", "a" * 64, "sha256:" + "A" * 64, "sha256:abc"])
def test_what_is_no_digest_is_a_mistake(digest):
    with pytest.raises(Mistake, match=r"^model digest: got"):
        source_of(digest)


def test_the_entry_point_module_imports_no_mlflow():
    code = "import sys, argosy.registry.source; sys.exit('mlflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_importing_the_package_switches_telemetry_off_unless_the_user_chose():
    code = "import os, argosy.registry; print(os.environ['MLFLOW_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"

    chosen = subprocess.run([sys.executable, "-c", code], env={"DO_NOT_TRACK": "0"}, capture_output=True, text=True)

    assert chosen.stdout.split() == ["true", "0"], chosen.stderr
