from __future__ import annotations

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from argosy.report.render import SECTIONS, render_report
from tests.fakes.run_records import a_failed_run, a_no_op_run, a_refused_run, a_run_document, without

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
RUNS = [a_run_document, a_refused_run, a_failed_run, a_no_op_run]


class Page(HTMLParser):
    """Parses strictly: every element that is opened is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str | None]:
        return [value for key, value in self.attributes if key == name]


@pytest.mark.parametrize("run", RUNS)
def test_a_report_is_well_formed_html(run):
    page = Page(render_report(run()))

    assert page.open == []
    assert page.elements.count("script") == 1


@pytest.mark.parametrize("run", RUNS)
def test_the_navigation_leads_to_sections_that_are_there(run):
    page = Page(render_report(run()))

    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.values("href") if link} <= set(ids)


def test_a_full_run_shows_every_section():
    page = Page(render_report(a_run_document()))

    assert {section.name for section in SECTIONS} <= set(page.values("id"))


def test_nothing_is_fetched_from_anywhere():
    html = render_report(without(a_run_document(), ("sections", "release", "url")))

    assert "http://" not in html
    assert "https://" not in html
    assert not re.search(r"@import|url\(|<link|\ssrc=", html)
    assert "default-src 'none'" in html


def test_a_url_in_the_data_is_shown_and_not_linked():
    run = a_run_document()
    run["sections"]["release"]["url"] = "javascript:alert(1)"

    page = Page(render_report(run))

    assert "javascript:alert(1)" in page.texts
    assert all(link.startswith("#") for link in page.values("href") if link)


def test_the_one_script_is_the_one_that_the_page_allows():
    html = render_report(a_run_document())

    script = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html


def test_hostile_strings_are_shown_as_text():
    page = Page(render_report(hostile(a_run_document())))

    assert page.elements.count("script") == 1
    assert "img" not in page.elements
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not [text for text in page.texts if "49" in text and "7 * 7" not in text and "alert" in text]


@pytest.mark.parametrize("run", RUNS)
def test_the_same_run_gives_the_same_bytes(run):
    assert render_report(run()) == render_report(run())


def test_an_empty_document_still_has_a_page():
    page = Page(render_report({}))

    assert page.open == []


def test_each_section_may_be_absent():
    for name in a_run_document()["sections"]:
        html = render_report(without(a_run_document(), ("sections", name)))

        assert Page(html).open == []


def test_what_is_missing_or_odd_in_a_section_is_no_error():
    sections = a_run_document()["sections"]
    for name in sections:
        for odd in (None, math.nan, "sha256:ab", [], {}, 7, [None, "odd", 3, {}], {"views": {"x": None}}):
            render_report({"sections": {name: odd}})


@pytest.mark.slow
@pytest.mark.parametrize("odd", [None, "odd", []])
def test_any_value_may_be_missing_or_odd(odd):
    run = a_run_document()
    for path in sample_paths(run):
        holder: Any = run
        for key in path[:-1]:
            holder = holder[key]
        kept, holder[path[-1]] = holder[path[-1]], odd
        render_report(run)
        holder[path[-1]] = kept


def test_a_huge_run_gives_a_report_of_at_most_500_kb():
    run = a_run_document()
    step = run["steps"][0]
    names = [f"task-{i}" for i in range(600)]
    run["steps"] = [
        {
            **step,
            "name": name,
            "after": names[max(0, i - 1) : i],
            "outputs": {"rows": "x" * 10_000},
            "error": "y" * 10**5,
        }
        for i, name in enumerate(names)
    ]
    run["verdicts"][1]["gates"] *= 100
    run["sections"]["findings"] *= 1000
    run["sections"]["metrics"]["roc"] = [[i / 1e5, i / 1e5] for i in range(10**5)]

    assert len(render_report(run).encode()) <= 500_000


def hostile(value: Any, depth: int = 0) -> Any:
    """Put the hostile string into every text, and add a key of it to every mapping below the top."""
    if isinstance(value, dict):
        made = {key: hostile(entry, depth + 1) for key, entry in value.items()}
        return made | ({HOSTILE: HOSTILE} if depth > 1 else {})
    if isinstance(value, list):
        return [hostile(entry, depth + 1) for entry in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


def sample_paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every entry; of lists, that of the first."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, entry in value.items():
            found += sample_paths(entry, (*path, key))
    if isinstance(value, list) and value:
        found += sample_paths(value[0], (*path, 0))
    return found
