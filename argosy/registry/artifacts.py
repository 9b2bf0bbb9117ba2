"""Read `argosy://sha256/...` for MLflow: the model folder of the store, laid out as an MLflow model."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NoReturn

from mlflow.entities.file_info import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from argosy.registry.layout import lay_out
from argosy.registry.source import digest_of


class StoredModelRepository(ArtifactRepository):  # type: ignore[misc]  # MLflow ships no types
    """A read-only artifact repository over one model digest.

    Args:
        artifact_uri: `argosy://sha256/` and 64 hexadecimal digits.
        tracking_uri: Not read.
        registry_uri: Not read.

    """

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)
        digest = digest_of(artifact_uri)
        if digest is None:
            raise MlflowException(
                f"{artifact_uri}: allowed is argosy://sha256/ and 64 hexadecimal digits",
                error_code=INVALID_PARAMETER_VALUE,
            )
        self._digest = digest

    @cached_property
    def folder(self) -> Path:
        """The laid-out model folder, from the store of ARGOSY_STORE; it lives as long as the repository."""
        # Imported late: MLflow loads this module in servers that may never read a model.
        from argosy.launcher.artifacts import materialize
        from argosy.launcher.store import open_store

        folder = Path(tempfile.mkdtemp(prefix="argosy-model-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        model = folder / "model"
        materialize(open_store(), self._digest, model)
        lay_out(model, digest=self._digest)
        return model

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return what lies directly under a folder of the model; nothing for a file."""
        listed = self._inside(path or "")
        if not listed.is_dir():
            return []
        return [
            FileInfo(
                found.relative_to(self.folder).as_posix(),
                found.is_dir(),
                None if found.is_dir() else found.stat().st_size,
            )
            for found in sorted(listed.iterdir())
        ]

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse: a digest names what cannot change."""
        self._refuse()

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> NoReturn:  # noqa: ARG002
        """Refuse: a digest names what cannot change."""
        self._refuse()

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        shutil.copyfile(self._inside(remote_file_path), local_path)

    def _inside(self, path: str) -> Path:
        # Files of a local store are links out of the folder, so the name is judged and not where it leads.
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise MlflowException(
                f"{path!r}: allowed are paths inside the model folder", error_code=INVALID_PARAMETER_VALUE
            )
        return self.folder / path

    def _refuse(self) -> NoReturn:
        raise MlflowException(
            f"{self.artifact_uri}: models in the store are not written through MLflow; train and register one",
            error_code=INVALID_PARAMETER_VALUE,
        )
