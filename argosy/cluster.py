"""The Kubernetes cluster that KUBECONFIG names: the one importer of its client, which takes a second to import.

Only what a submission needs: Argo's workflows, the settings that pods are given, the logs of pods.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from argosy.errors import ArgosyError, Mistake, Outage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUP: Final = ("argoproj.io", "v1alpha1")
TIMEOUT_S: Final = (10, 60)
BY_STATUS: Final[Mapping[int, tuple[type[ArgosyError], str]]] = {
    401: (Mistake, "not logged in; renew the credentials that KUBECONFIG names"),
    403: (Mistake, "not allowed; ask for the right, or name another namespace with --namespace"),
    404: (Mistake, "Argo Workflows is not installed there, or there is no such namespace"),
    408: (Outage, "it took too long; try again"),
    429: (Outage, "too many requests; try again later"),
}


class Exists(Exception):
    """An object of that name is there already."""


class Cluster:
    """A connection to one namespace of one cluster.

    Attributes:
        namespace: The one that was asked for, else that of the current context, else `default`.
        server: The URL of its API.

    """

    def __init__(self, namespace: str | None = None) -> None:
        """Connect as KUBECONFIG says, or as the pod that this process runs in.

        Raises:
            Mistake: Nothing names a cluster.

        """
        # The client reads the variable once, when it is imported.
        file = os.environ.get("KUBECONFIG") or None
        try:
            config.load_config(**({"config_file": file} if file else {}))
        except config.ConfigException as error:
            raise Mistake(
                f"no cluster: {error}; name a kubeconfig file with KUBECONFIG, as kubectl needs it too"
            ) from error
        configuration = client.Configuration.get_default_copy()
        configuration.retries = False
        api = client.ApiClient(configuration)
        self.server = str(configuration.host)
        self.namespace = namespace or _namespace_of_context(file) or "default"
        self._objects, self._core = client.CustomObjectsApi(api), client.CoreV1Api(api)

    def create_workflow(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a Workflow whose fields are all known to the cluster.

        Raises:
            Exists: There is one of that name.
            Mistake: The server refuses it.
            Outage: The server did not answer; the workflow may be there.

        """
        with self._errors(f"create workflow {body['metadata'].get('name', '')}"):
            return self._workflows("create", dict(body), field_validation="Strict")

    def workflow(self, name: str) -> dict[str, Any] | None:
        """Return a Workflow; None where there is none."""
        with self._errors(f"read workflow {name}"):
            try:
                return self._workflows("get", name)
            except ApiException as error:
                if error.status == 404:
                    return None
                raise

    def settings(self, name: str) -> dict[str, str]:
        """Return the entries of a config map; none where there is none."""
        with self._errors(f"read config map {name}"):
            try:
                found = self._core.read_namespaced_config_map(name, self.namespace, _request_timeout=TIMEOUT_S)
            except ApiException as error:
                if error.status == 404:
                    return {}
                raise
            return dict(found.data or {})

    def log(self, pod: str) -> Iterator[bytes]:
        """Yield what the main container of a pod wrote; nothing where the pod is gone."""
        with self._errors(f"read the log of {pod}"):
            try:
                answer = self._core.read_namespaced_pod_log(
                    pod, self.namespace, container="main", _preload_content=False, _request_timeout=TIMEOUT_S
                )
            except ApiException as error:
                if error.status in {400, 404}:  # 400: its container has not started
                    return
                raise
            yield from answer.stream()

    def _workflows(self, verb: str, *given: Any, **more: Any) -> dict[str, Any]:
        method = getattr(self._objects, f"{verb}_namespaced_custom_object")
        answer: dict[str, Any] = method(*GROUP, self.namespace, "workflows", *given, _request_timeout=TIMEOUT_S, **more)
        return answer

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn what the client raises into our errors."""
        try:
            yield
        except ApiException as error:
            raise self._refused(what, error) from error
        except (HTTPError, OSError) as error:
            raise Outage(f"{self.server}: {what}: does not answer ({_first_line(error)}); is it up?") from error

    def _refused(self, what: str, error: ApiException) -> Exception:
        if error.status == 409:
            return Exists(what)
        said = _said_by(error)
        kind, hint = BY_STATUS.get(error.status or 0, (Outage if (error.status or 500) >= 500 else Mistake, ""))
        return kind(f"{self.server}: {what} in {self.namespace}: {said}{'; ' if hint else ''}{hint}")


def _namespace_of_context(file: str | None) -> str | None:
    try:
        _, current = config.list_kube_config_contexts(file)
    except config.ConfigException:  # in a pod there is no kubeconfig
        return None
    found = current["context"].get("namespace")
    return str(found) if found else None


def _said_by(error: ApiException) -> str:
    """Return the message of a Status object, or how the answer began."""
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}".strip()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
