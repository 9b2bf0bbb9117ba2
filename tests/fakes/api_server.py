"""A real Kubernetes API server, that of KUBECONFIG, as a strict reader of manifests; nothing of them is kept."""

import json
import os
import time
from pathlib import Path
from typing import Any

from tests.fakes.argo_schema import PLURALS, read_definition

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PATIENCE_S = 60


class ApiServer:
    """The server behind a kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        from kubernetes import config

        self._client = config.new_client_from_config(kubeconfig)

    @staticmethod
    def find() -> "ApiServer | None":
        """Return the server of KUBECONFIG, where there is one that answers."""
        if not (os.environ.get("KUBECONFIG") and Path(os.environ["KUBECONFIG"]).is_file()):
            return None
        server = ApiServer(os.environ["KUBECONFIG"])
        return server if server.answers() else None

    def answers(self) -> bool:
        """Say whether anything is there."""
        from urllib3.exceptions import HTTPError

        try:
            self._call("GET", "/version")
        except HTTPError:
            return False
        return True

    def apply_definitions(self, folder: Path) -> None:
        """Apply Argo's definitions of what this project emits, server-side, and wait until they are served."""
        for plural in PLURALS.values():
            name = f"{plural}.argoproj.io"
            definition = read_definition(plural, folder)
            given = {"fieldManager": "argosy-tests", "force": "true"}
            self._call("PATCH", f"{DEFINITIONS}/{name}", definition, "application/apply-patch+yaml", **given)
        until = time.monotonic() + PATIENCE_S
        while not all(self._is_served(plural) for plural in PLURALS.values()):
            if time.monotonic() > until:
                raise TimeoutError(f"the definitions were not served within {PATIENCE_S} s")
            time.sleep(0.2)

    def _is_served(self, plural: str) -> bool:
        from kubernetes.client.exceptions import ApiException

        try:
            self._call("GET", f"/apis/argoproj.io/v1alpha1/namespaces/default/{plural}", limit="1")
        except ApiException as error:
            if error.status == 404:
                return False
            raise
        return True

    def create(self, kind: str, text: str) -> dict[str, Any]:
        """Return what the server made of a manifest's YAML, as `create --dry-run=server --validate=strict` does.

        Raises:
            ValueError: The server refuses it; the message is the server's.

        """
        from kubernetes.client.exceptions import ApiException

        path = f"/apis/argoproj.io/v1alpha1/namespaces/default/{PLURALS[kind]}"
        try:
            return self._call("POST", path, text, "application/yaml", dryRun="All", fieldValidation="Strict")
        except ApiException as error:
            raise ValueError(json.loads(error.body)["message"]) from error

    def _call(
        self, method: str, path: str, body: Any = None, form: str = "application/json", **query: str
    ) -> dict[str, Any]:
        answer, _, _ = self._client.call_api(
            path,
            method,
            query_params=list(query.items()),
            header_params={"Content-Type": form, "Accept": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
            response_type="object",
            _request_timeout=PATIENCE_S,
        )
        return dict(answer)
