"""What the documents say of the code is so: links, named tests, excerpts, commands, versions."""

import re
from pathlib import Path

import pytest

from argosy.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)|(?:src|srcset)=\"(?P<picture>[^\"]+)\"")
EXCERPT = re.compile(r"^```python\n# (?P<file>\S+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def document(request: pytest.FixtureRequest) -> Path:
    return request.param


def links(document: Path) -> list[tuple[str, str]]:
    """Return text and target of every link that leads to a file."""
    found = LINK.finditer(document.read_text(encoding="utf-8"))
    pairs = [(link["text"] or "", link["target"] or link["picture"]) for link in found]
    return [(text, target) for text, target in pairs if "://" not in target]


def defined_in(file: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE))


def headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_every_link_leads_somewhere(document: Path):
    for _, target in links(document):
        path, _, heading = target.partition("#")
        file = (document.parent / path).resolve() if path else document

        assert file.exists(), target
        assert not heading or heading in headings(file), target


def test_every_test_that_is_named_is_there(document: Path):
    # A test is a sentence, and documents write it as one; what is in backticks names the file.
    sentences = [link for link in links(document) if "/test_" in link[1] and not link[0].startswith("`")]
    named = [(f"test_{text.replace(' ', '_')}", target) for text, target in sentences]
    gone = [f"{name} in {target}" for name, target in named if name not in defined_in(document.parent / target)]

    assert gone == []


def test_every_excerpt_is_the_code_itself(document: Path):
    for excerpt in EXCERPT.finditer(document.read_text(encoding="utf-8")):
        code = (ROOT / excerpt["file"]).read_text(encoding="utf-8")

        for part in excerpt["code"].split("\n...\n"):
            assert part.strip("\n") in code, excerpt["file"]


def test_no_block_of_python_goes_without_its_file(document: Path):
    text = document.read_text(encoding="utf-8")

    assert len(EXCERPT.findall(text)) == text.count("```python")


def test_the_readme_lists_every_command_and_no_other():
    table = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    listed = {name for row in re.findall(r"^\| (`argosy .*?) \|", table, re.MULTILINE) for name in commands(row)}

    assert listed == set(app.commands)


def commands(text: str) -> list[str]:
    return re.findall(r"`argosy (\w+)", text)


def test_the_versions_in_the_readme_are_those_of_the_lock():
    names, _, versions = (
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in README.partition("\n## Tested with\n")[2].partition("\n## ")[0].splitlines()
        if row.startswith("|")
    )
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()

    for name, version in zip(names, versions, strict=True):
        package = name.lower().replace(" ", "")
        assert re.search(rf"^{package}(-cpu)?=={re.escape(version)}\b", lock, re.MULTILINE), name
