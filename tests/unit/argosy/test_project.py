import json
import sys

import pytest

from argosy.errors import Mistake
from argosy.launcher.stamps import Stamps
from argosy.project import catalogue, compiled_spec, find_root, keyed_project, load_settings
from tests.fakes.projects import CATALOG, PYPROJECT, SHELLS, SMALL, a_project, write_files


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch):
    for name in (
        "ARGOSY_STORE",
        "ARGOSY_STATE",
        "ARGOSY_PORT",
        "ARGOSY_SERVING_URL",
        "MLFLOW_TRACKING_URI",
        "ARGOSY_IMAGE",
        "ARGOSY_KUBEFLOW_HOST",
    ):
        monkeypatch.delenv(name, raising=False)


class Compiler:
    """Compiles the small pipeline of a project, and says whether that was done anew."""

    def __init__(self, folder):
        self.folder = a_project(folder)
        self.settings = load_settings(folder)
        self.stamps = Stamps(folder / ".argosy" / "stamps.sqlite")

    def __call__(self, name="small"):
        return compiled_spec(name, self.settings, keyed_project(self.settings, self.stamps))

    def recompiles(self):
        file = self.folder / ".argosy" / "compiled" / "small.json"
        document = json.loads(file.read_text())
        file.write_text(json.dumps(document | {"spec": {"kept": True}}))
        return self() != {"kept": True}


@pytest.fixture
def compiler(tmp_path):
    return Compiler(tmp_path / "project")


# Settings


def test_settings_have_defaults_below_the_project(tmp_path):
    folder = a_project(tmp_path / "project")

    settings = load_settings(folder / "pipelines")

    assert (settings.root, settings.state) == (folder, folder / ".argosy")
    assert settings.store == str(folder / ".argosy" / "store")
    assert (settings.lock, settings.port, settings.serving_url) == (None, 8780, None)
    assert settings.tracking_uri == f"sqlite:///{folder}/.argosy/mlflow.db"


def test_settings_come_from_the_table_then_variables_then_flags(tmp_path, monkeypatch):
    table = '[tool.argosy]\nstore = "here"\nport = 1\nlock = "requirements.lock"\nserving_url = "http://a"\n'
    folder = a_project(tmp_path / "project", {"pyproject.toml": table})

    of_table = load_settings(folder)
    monkeypatch.setenv("ARGOSY_STORE", "s3://bucket/prefix")
    monkeypatch.setenv("ARGOSY_PORT", "2")
    monkeypatch.setenv("ARGOSY_SERVING_URL", "http://b")
    of_variables = load_settings(folder)
    of_flags = load_settings(folder, store=str(tmp_path / "elsewhere"))

    assert (of_table.store, of_table.port, of_table.serving_url) == (str(folder / "here"), 1, "http://a")
    assert of_table.lock == folder / "requirements.lock"
    assert (of_variables.store, of_variables.port, of_variables.serving_url) == ("s3://bucket/prefix", 2, "http://b")
    assert of_flags.store == str(tmp_path / "elsewhere")


def test_the_host_of_kubeflow_comes_from_the_table_or_a_variable(tmp_path, monkeypatch):
    folder = a_project(tmp_path / "project", {"pyproject.toml": '[tool.argosy]\nkubeflow_host = "http://a"\n'})

    of_table = load_settings(folder)
    monkeypatch.setenv("ARGOSY_KUBEFLOW_HOST", "http://b")
    of_variable = load_settings(folder)

    assert (of_table.kubeflow_host, of_variable.kubeflow_host) == ("http://a", "http://b")


def test_the_image_of_pods_without_one_comes_from_the_table_or_a_variable(tmp_path, monkeypatch):
    folder = a_project(tmp_path / "project", {"pyproject.toml": '[tool.argosy]\nimage = "steps:1"\n'})

    of_table = load_settings(folder)
    monkeypatch.setenv("ARGOSY_IMAGE", "steps:2")
    of_variable = load_settings(folder)

    assert (of_table.image, of_variable.image) == ("steps:1", "steps:2")


def test_the_state_of_a_machine_may_lie_elsewhere_and_the_store_lies_in_it(tmp_path, monkeypatch):
    folder = a_project(tmp_path / "project")
    monkeypatch.setenv("ARGOSY_STATE", str(tmp_path / "state"))

    settings = load_settings(folder)

    assert (settings.state, settings.store) == (tmp_path / "state", str(tmp_path / "state" / "store"))


def test_a_folder_of_no_project_is_one_with_defaults(tmp_path):
    assert find_root(tmp_path) is None
    assert load_settings(tmp_path).root == tmp_path


def test_the_nearest_project_upwards_counts(tmp_path):
    outer = a_project(tmp_path / "outer")
    inner = a_project(outer / "inner")
    write_files(outer, {"other/pyproject.toml": "[project]\nname = 'other'\n"})

    assert find_root(inner / "pipelines") == inner
    assert find_root(outer / "other") == outer


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "sqlite:///{root}/.argosy/online.db"),
        ("sqlite:///held/online.db", "sqlite:///{root}/held/online.db"),
        ("sqlite:////held/online.db", "sqlite:////held/online.db"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_an_online_store_in_a_file_stands_in_the_project_wherever_a_command_is_given(tmp_path, monkeypatch, given, url):
    table = f'online = "{given}"\n' if given else ""
    folder = a_project(tmp_path / "project", {"pyproject.toml": f"[tool.argosy]\n{table}"})
    monkeypatch.delenv("ARGOSY_ONLINE", raising=False)

    assert load_settings(folder).online == url.format(root=folder)
    monkeypatch.setenv("ARGOSY_ONLINE", "redis://other/1")
    assert load_settings(folder).online == "redis://other/1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.argosy]\nstore = \n", r"pyproject\.toml: .*line 2"),
        (
            "[tool.argosy]\nstroe = 'x'\n",
            r"\[tool\.argosy\] stroe: unread setting; allowed are catalog, image, kubeflow_host, lock, online, port",
        ),
    ],
)
def test_settings_that_cannot_be_read_are_a_mistake_with_their_place(tmp_path, text, message):
    folder = a_project(tmp_path / "project", {"pyproject.toml": text})

    with pytest.raises(Mistake, match=message):
        load_settings(folder)


# Compiling


def test_a_pipeline_is_compiled_and_then_read(compiler):
    spec = compiler()

    assert set(spec["pipeline_spec"]["root"]["dag"]["tasks"]) == {"double", "double-2"}
    assert compiler() == spec
    assert not compiler.recompiles()


EDITS = {
    "pipelines/small.py": SMALL.replace("n: int = 3", "n: int = 4"),
    "components/shells.py": SHELLS.replace("twice(n)", "twice(n) + 1"),
    "components/arithmetic.py": "def twice(n):\n    return n + n\n",
    "pipelines/catalog.py": CATALOG + "MORE = 1\n",
}


def test_an_edit_of_any_code_that_the_pipeline_stands_on_compiles_anew(compiler):
    compiler()

    for file, text in EDITS.items():
        write_files(compiler.folder, {file: text})
        assert compiler.recompiles(), file


def test_an_edit_of_a_comment_or_of_other_code_does_not(compiler):
    compiler()

    write_files(compiler.folder, {"pipelines/small.py": f"# Small.\n{SMALL}", "components/unused.py": "x = 1\n"})

    assert not compiler.recompiles()


def test_a_torn_cache_compiles_anew(compiler):
    spec = compiler()
    (compiler.folder / ".argosy" / "compiled" / "small.json").write_text('{"fingerprint": ')

    assert compiler() == spec


def test_an_unknown_pipeline_is_a_mistake_with_the_closest_name(compiler):
    with pytest.raises(Mistake, match=r"no pipeline 'smal'.*did you mean 'small'.*known: small"):
        compiler("smal")


def test_a_pipeline_that_does_not_compile_is_a_mistake_with_its_place(compiler):
    write_files(compiler.folder, {"pipelines/small.py": SMALL.replace("double(n=n)", "double(m=n)")})

    with pytest.raises(Mistake, match=r"pipelines/small\.py:\d+: .*m"):
        compiler()


def test_a_catalogue_that_is_not_there_is_a_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = a_project(
        tmp_path / "project", {"pyproject.toml": PYPROJECT.replace("pipelines.catalog", "nowhere.catalog")}
    )
    settings = load_settings(folder)
    project = keyed_project(settings, Stamps(tmp_path / "stamps.sqlite"))

    with pytest.raises(Mistake, match=r"there is no module nowhere\.catalog in .*catalog names it"):
        compiled_spec("small", settings, project)
    with pytest.raises(Mistake, match=r"catalogue nowhere\.catalog:PIPELINES: No module named 'nowhere'"):
        catalogue(settings)
