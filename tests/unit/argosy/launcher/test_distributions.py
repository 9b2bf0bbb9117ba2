from importlib import metadata

import pytest

from argosy.errors import Mistake
from argosy.launcher.distributions import locked_versions
from argosy.launcher.stamps import Stamps

NUMPY = metadata.version("numpy")
YAML = metadata.version("pyyaml")


@pytest.fixture
def stamps(tmp_path):
    return Stamps(tmp_path / "stamps.sqlite")


@pytest.fixture
def lock(tmp_path):
    """Return a function that writes a lock."""

    def write(text):
        (tmp_path / "requirements.lock").write_text(text)
        return tmp_path / "requirements.lock"

    return write


def test_without_a_lock_the_installed_version_counts(stamps):
    assert locked_versions(["numpy.linalg"], None, stamps) == {"numpy": NUMPY}


def test_a_module_is_looked_up_by_the_distribution_that_provides_it(stamps):
    assert locked_versions(["yaml"], None, stamps) == {"pyyaml": YAML}


def test_the_locked_version_counts_where_it_is_installed(stamps, lock):
    pins = lock(f"numpy=={NUMPY} \\\n    --hash=sha256:00\nPyYAML=={YAML}\n")

    assert locked_versions(["numpy", "yaml"], pins, stamps) == {"numpy": NUMPY, "pyyaml": YAML}


def test_another_version_than_the_locked_one_is_a_mistake(stamps, lock):
    with pytest.raises(Mistake, match=rf"^numpy: {NUMPY} is installed and the lock pins 0\.1; run `make`"):
        locked_versions(["numpy"], lock("numpy==0.1\n"), stamps)


def test_what_a_step_does_not_import_may_differ_from_the_lock(stamps, lock):
    assert locked_versions(["yaml"], lock("numpy==0.1\n"), stamps) == {"pyyaml": YAML}


def test_a_pin_for_another_machine_does_not_count(stamps, lock):
    pins = lock(f"numpy=={NUMPY} ; sys_platform != 'never'\nnumpy==0.1 ; sys_platform == 'never'\npyyaml=={YAML}\n")

    assert locked_versions(["numpy", "yaml"], pins, stamps) == {"numpy": NUMPY, "pyyaml": YAML}


@pytest.mark.parametrize("pin", ["numpy[extra]==0.1", "NumPy==0.1 ; python_version >= '3'", "numpy==0.1  # why"])
def test_pins_are_read_in_every_form_that_lockers_write(stamps, lock, pin):
    with pytest.raises(Mistake, match="the lock pins 0"):
        locked_versions(["numpy"], lock(f"{pin}\npyyaml=={YAML}\n"), stamps)


def test_an_edited_lock_is_read_again(stamps, lock):
    locked_versions(["numpy"], lock(f"numpy=={NUMPY}\n"), stamps)

    with pytest.raises(Mistake, match="the lock pins"):
        locked_versions(["numpy"], lock("numpy==0.1\n"), stamps)


def test_a_lock_that_is_not_there_is_a_mistake(tmp_path, stamps):
    with pytest.raises(Mistake, match=r"there is no such lock; \[tool\.argosy\] lock names"):
        locked_versions(["numpy"], tmp_path / "none.lock", stamps)


def test_modules_that_nothing_installed_provides_have_no_version(stamps):
    assert locked_versions(["not_installed_anywhere"], None, stamps) == {}
