import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.model import Template
from argosy.spec.templates import channels_in, fill_run_values, render_template, run_values_in

X = "{{$.inputs.parameters['pipelinechannel--x']}}"
Y = '{{$.inputs.parameters["pipelinechannel--y"]}}'


def rendered(value, **channels):
    values = {f"pipelinechannel--{name}": given for name, given in channels.items()}
    return render_template(Template(value, {}), values)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("plain", "plain"),
        (3, "3"),
        (3.0, "3"),
        (0.5, "0.5"),
        (True, "true"),
        ([1.0, "a"], '[1, "a"]'),
        ({"ü": 'q"'}, '{"ü": "q\\""}'),
        ('with "quotes" and {{$.inputs}}', 'with "quotes" and {{$.inputs}}'),
    ],
)
def test_a_channel_becomes_text_as_in_kfp(given, text):
    assert rendered(f"<{X}>", x=given) == f"<{text}>"


def test_a_whole_text_placeholder_in_a_list_arrives_as_text():
    assert rendered([X, {"k": X}, 2], x=5) == ["5", {"k": "5"}, 2]


def test_placeholders_are_filled_at_any_depth_and_in_names_of_fields():
    assert rendered({f"{X}-name": [f"{X}{Y}"]}, x="a", y="b") == {"a-name": ["ab"]}


def test_what_a_channel_brings_is_not_filled_again():
    assert rendered(X, x=Y, y="never") == Y


def test_a_channel_without_a_value_is_a_mistake():
    with pytest.raises(Mistake, match=r"^x: no value to put into a text"):
        rendered(X)


def test_the_channels_of_a_value_are_found_everywhere():
    assert channels_in({"a": [Y, "none"], X: 1}, "p") == ["pipelinechannel--x", "pipelinechannel--y"]


def test_a_value_of_the_run_is_a_channel_of_its_own():
    assert channels_in(f"{X}/{{{{$.pipeline_job_name}}}}", "p") == ["$.pipeline_job_name", "pipelinechannel--x"]
    assert render_template(Template("{{$.workspace_path}}/a", {}), {"$.workspace_path": "/w"}) == "/w/a"


@pytest.mark.parametrize("placeholder", ["{{$.pipeline_google_cloud_location}}", "{{$}}", "{{$.json_escape[1]}}"])
def test_a_placeholder_that_no_target_knows_is_refused_by_name_and_place(placeholder):
    with pytest.raises(Unsupported) as caught:
        channels_in({"a": [f"id {placeholder}"]}, "p")

    assert str(caught.value).startswith(f"p.a[0]: placeholder of the run ({placeholder}): unsupported: ")


def test_an_argument_may_hold_placeholders_of_its_step_and_of_the_run():
    own = ["{{$}}", X, "{{$.outputs.artifacts['model'].path}}", "no placeholder", "{{item}}"]
    assert run_values_in(own, "p") == []
    assert run_values_in([*own, "{{$.pipeline_task_name}}"], "p") == ["pipeline_task_name"]
    filled = fill_run_values(f"{X} {{{{$.pipeline_task_name}}}} {{{{$}}}}", {"pipeline_task_name": "train"})
    assert filled == f"{X} train {{{{$}}}}"

    with pytest.raises(Unsupported, match=r"^p: placeholder of the run \(\{\{\$\.pipeline_google_cloud_location\}\}\)"):
        run_values_in(["{{$.pipeline_google_cloud_location}}"], "p")
