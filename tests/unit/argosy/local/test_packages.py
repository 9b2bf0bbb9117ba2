import json

import pytest

from argosy.local.packages import _is_met, installed_instead, missing_packages


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that makes a distribution look installed."""
    _is_met.cache_clear()
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name, version="1.5", requires=(), extras=(), url=""):
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        lines = [f"Name: {name}", f"Version: {version}", *(f"Provides-Extra: {extra}" for extra in extras)]
        folder.joinpath("METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]))
        if url:
            folder.joinpath("direct_url.json").write_text(json.dumps({"url": url}))

    yield install
    _is_met.cache_clear()


@pytest.mark.parametrize("text", ["here", "here>=1,<2", "Here==1.5", "here ; python_version > '3'", "here[unknown]"])
def test_what_is_installed_is_not_missing(installed, text):
    installed("here")

    assert missing_packages([text]) == []


@pytest.mark.parametrize(
    "text", ["here>2", "absent", "absent>=1; python_version > '3'", "here @ https://example.org/here.whl"]
)
def test_what_is_not_installed_or_of_another_version_is_missing(installed, text):
    installed("here")

    assert missing_packages([text]) == [text]


def test_what_a_marker_leaves_out_is_not_missing():
    assert missing_packages(["absent; python_version < '3'"]) == []


@pytest.mark.parametrize("text", ["https://example.org/a.whl", "git+https://example.org/a", "./wheels/a.whl"])
def test_what_no_name_is_told_of_is_missing(text):
    assert missing_packages([text]) == [text]


def test_a_package_from_a_url_has_to_come_from_it(installed):
    installed("here", url="https://example.org/here.whl")

    assert missing_packages(["here @ https://example.org/here.whl"]) == []
    assert missing_packages(["here @ https://example.org/other.whl"]) == ["here @ https://example.org/other.whl"]


def test_extras_need_what_they_name(installed):
    requires = ["part>=1; extra == 'full'", "gone; extra == 'all'", "never; extra == 'full' and python_version < '3'"]
    installed("here", requires=requires, extras=["full", "all"])
    installed("part")

    assert missing_packages(["here[full]", "here[all]", "here[full,all]"]) == ["here[all]", "here[full,all]"]


def test_extras_may_name_each_other(installed):
    requires = ["here[b]; extra == 'a'", "here[a]; extra == 'b'"]
    installed("here", requires=requires, extras=["a", "b"])

    assert missing_packages(["here[a]"]) == []


def test_what_is_installed_instead_is_told_with_its_version(installed):
    installed("here")

    assert installed_instead(["here==9", "absent", "no name at all!"]) == ["here 1.5"]
