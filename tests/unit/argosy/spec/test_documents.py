import pytest

from argosy.errors import BadInput
from argosy.spec.documents import parse_documents, split_documents


def test_one_document_has_an_empty_platform():
    assert parse_documents("a: 1\n") == ({"a": 1}, {})
    assert parse_documents('{"a": 1}') == ({"a": 1}, {})


def test_the_second_document_is_the_platform():
    assert parse_documents("# comment\na: 1\n---\nplatforms: {}\n") == ({"a": 1}, {"platforms": {}})


def test_what_the_compiler_writes_is_both():
    assert parse_documents('{"pipeline_spec": {"a": 1}, "platform_spec": {"b": 2}}') == ({"a": 1}, {"b": 2})
    assert split_documents({"pipeline_spec": {"a": 1}}) == ({"a": 1}, {})


def test_a_date_in_yaml_stays_a_text():
    assert parse_documents("constant: 2013-01-01\n") == ({"constant": "2013-01-01"}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no document; a PipelineSpec is needed"),
        ("# only a comment\n", "no document"),
        ("a: 1\n---\nb: 1\n---\nc: 1\n", "3 documents; a PipelineSpec and at most one platform spec are needed"),
        ("- a\n", "1 documents; a PipelineSpec"),
        ("just words", "1 documents; a PipelineSpec"),
        ("a: [1\n", "not YAML: "),
        ('{"a": 1', "not JSON: "),
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": ' + "[" * 100_000, "not JSON: "),
        (r'{"a": {"b": "\uD800"}}', r'a.b: got "\ud800"; UTF-8 has no half of a surrogate pair'),
        ("a: " + "1" * 5000 + "\n", "not YAML: "),
        ('{"a": 1, "a": 2}', "named twice in one object: a"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4: 'c' is named a second time in one object"),
        ("on: 1\n", "line 1: the field name True is not a text; put it in quotes"),
        ('{"pipeline_spec": {}, "other": {}}', "allowed: the objects pipeline_spec and platform_spec; got: "),
        ('{"pipeline_spec": []}', "allowed: the objects pipeline_spec and platform_spec"),
    ],
)
def test_what_holds_no_spec_is_refused_with_the_reason(text, message):
    with pytest.raises(BadInput) as caught:
        parse_documents(text)

    assert str(caught.value).startswith(message)
