import os
import subprocess
import sys

from argosy.serving.app import create_app, digest_folder, main
from argosy.serving.ports import listen
from tests.fakes.serving import ask

HEAVY = "pandas", "sklearn", "xgboost", "pyarrow", "fastapi", "mlflow", "feast", "kfp"


def test_the_digest_of_a_folder_follows_names_and_contents_only(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "a").write_text("1")
        (tmp_path / name / "sub" / "b").write_text("2")
    os.utime(tmp_path / "two" / "a", (1, 1))
    before = digest_folder(tmp_path / "one")
    assert before == digest_folder(tmp_path / "two")
    assert before.startswith("sha256:")

    (tmp_path / "two" / "a").rename(tmp_path / "two" / "c")

    assert digest_folder(tmp_path / "two") != before


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("ARGOSY_LISTEN_FD", raising=False)
    (tmp_path / "model.onnx").touch()
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        assert main(["--model", str(tmp_path), "--port", str(port)]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"port {port} on 127.0.0.1 is taken")


def test_a_folder_without_a_model_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["--model", str(tmp_path)]) == 2

    assert capsys.readouterr().err == f"--model {tmp_path}: no model.onnx in it; give the folder of a trained model\n"


def test_an_app_serves_what_its_function_names_and_has_pages():
    app = create_app(lambda: None)

    assert ask(app, "GET", "/ready").status_code == 503
    assert ask(app, "GET", "/docs").status_code == 200


def test_the_server_imports_no_training_library_and_no_framework_on_its_way_to_ready():
    code = f"import sys, argosy.serving.app; print(*set(sys.modules) & set({HEAVY!r}))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == []
