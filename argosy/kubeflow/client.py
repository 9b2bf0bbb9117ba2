"""The Kubeflow Pipelines API, by kfp's own client; kfp takes seconds to import, so this module is imported late.

Hosts, logins and proxies are what `kfp.Client` knows of them. The calls go through the generated API beneath it, whose
calls take a time limit, and which prints nothing.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import kfp_server_api as api  # type: ignore[import-untyped]  # ships no types
from kfp.client import Client
from urllib3.exceptions import HTTPError

from argosy.errors import ArgosyError, Mistake, Outage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from argosy.spec.model import JsonValue

TIMEOUT_S: Final = (10, 60)
PAGE: Final = 100
LONG_AGO: Final = datetime.fromtimestamp(0, UTC)
BY_STATUS: Final[Mapping[int, tuple[type[ArgosyError], str]]] = {
    0: (Mistake, "its certificate is not trusted; give an http(s) URL whose certificate is, or SSL_CERT_FILE"),
    401: (Mistake, "not logged in; set ARGOSY_KUBEFLOW_TOKEN to a token, or renew the one that is set"),
    403: (Mistake, "not allowed; ask for the right to run pipelines there, or give another --namespace"),
    404: (
        Mistake,
        "nothing there; give the URL beneath which the API lies, like https://kubeflow.example.org/pipeline",
    ),
    408: (Outage, "it took too long; try again"),
    409: (Mistake, "it exists already"),
    429: (Outage, "too many requests; try again later"),
}


@dataclass(frozen=True)
class RemoteRun:
    """A run, or a recurring run, as the server tells of it.

    Attributes:
        state: `PENDING`, `RUNNING`, `SUCCEEDED` and so on; of a recurring run `ENABLED` or `DISABLED`.
        tasks: The state of each task, where the server tells it.
        error: What the server says of a failure.

    """

    id: str
    name: str
    state: str
    created: datetime
    tasks: Mapping[str, str]
    error: str


@dataclass(frozen=True)
class Order:
    """What is to be run: by which name, in which experiment, with which arguments."""

    name: str
    experiment: str
    spec: Mapping[str, JsonValue]
    arguments: Mapping[str, JsonValue]


class _OnceAskedClient(Client):  # type: ignore[misc]  # kfp ships no types
    """kfp's client, which asks a server that is down once for its health instead of five times."""

    def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
        """Ask once."""
        del sleep_duration
        return self._healthz_api.healthz_service_get_healthz(_request_timeout=TIMEOUT_S)


class Kubeflow:
    """A connection to one Kubeflow Pipelines server, as one user in one namespace."""

    def __init__(self, host: str, namespace: str | None) -> None:
        _require_place(host)
        self.host = host.rstrip("/")
        with warnings.catch_warnings(), self._errors("GET healthz"):
            warnings.simplefilter("ignore")  # it warns that it speaks to servers of version 2
            token = os.environ.get("ARGOSY_KUBEFLOW_TOKEN")
            self._client = _OnceAskedClient(self.host, namespace=namespace or "kubeflow", existing_token=token)
        self.host = self.host or self._client._existing_config.host
        self._namespace = namespace or self._client.get_user_namespace() or None

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, created where there is none of that name."""
        found = self._experiment(name)
        if found is not None:
            return found
        body = api.V2beta1Experiment(display_name=name, namespace=self._namespace)
        try:
            answer = self._ask(
                "create an experiment", self._client.experiments.experiment_service_create_experiment, experiment=body
            )
        except (_Exists, Outage):
            # Somebody was faster, or it was made and only the answer was lost.
            found = self._experiment(name)
            if found is None:
                raise
            return found
        return self._required(answer.experiment_id, "an experiment's id")

    def runs(self, experiment: str, part: str) -> list[RemoteRun]:
        """Return the runs of an experiment whose names hold a text, oldest first."""
        found = self._pages(
            "list runs",
            self._client.runs.run_service_list_runs,
            "runs",
            experiment_id=experiment,
            filter=_filter("IS_SUBSTRING", part),
        )
        return sorted((self._run(each) for each in found), key=_age)

    def create_run(self, order: Order) -> RemoteRun:
        """Start a run."""
        body = api.V2beta1Run(
            experiment_id=order.experiment,
            display_name=order.name,
            pipeline_spec=dict(order.spec),
            runtime_config=api.V2beta1RuntimeConfig(parameters=dict(order.arguments)),
        )
        return self._run(self._ask("create a run", self._client.runs.run_service_create_run, run=body))

    def run(self, run_id: str) -> RemoteRun:
        """Return how a run stands now."""
        return self._run(self._ask("read a run", self._client.runs.run_service_get_run, run_id=run_id))

    def delete_run(self, run_id: str) -> None:
        """End a run and take it away."""
        self._ask("end a run", self._client.runs.run_service_terminate_run, run_id=run_id)
        self._ask("delete a run", self._client.runs.run_service_delete_run, run_id=run_id)

    def recurring_runs(self, experiment: str, part: str) -> list[RemoteRun]:
        """Return the recurring runs of an experiment whose names hold a text, oldest first."""
        found = self._pages(
            "list recurring runs",
            self._client.recurring_runs.recurring_run_service_list_recurring_runs,
            "recurring_runs",
            experiment_id=experiment,
            filter=_filter("IS_SUBSTRING", part),
        )
        return sorted((self._recurring(each) for each in found), key=_age)

    def create_recurring_run(self, order: Order, cron: str) -> RemoteRun:
        """Start a run again and again, one at a time, without those that were missed."""
        body = api.V2beta1RecurringRun(
            experiment_id=order.experiment,
            display_name=order.name,
            pipeline_spec=dict(order.spec),
            runtime_config=api.V2beta1RuntimeConfig(parameters=dict(order.arguments)),
            trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=cron)),
            mode=api.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
        )
        create = self._client.recurring_runs.recurring_run_service_create_recurring_run
        return self._recurring(self._ask("create a recurring run", create, recurring_run=body))

    def delete_recurring_run(self, run_id: str) -> None:
        """Take a recurring run away."""
        delete = self._client.recurring_runs.recurring_run_service_delete_recurring_run
        self._ask("delete a recurring run", delete, recurring_run_id=run_id)

    def url(self, run: RemoteRun, *, recurring: bool = False) -> str:
        """Return where a person sees a run."""
        return f"{self.host}/#/{'recurringrun' if recurring else 'runs'}/details/{run.id}"

    def _experiment(self, name: str) -> str | None:
        found = self._pages(
            "list experiments",
            self._client.experiments.experiment_service_list_experiments,
            "experiments",
            filter=_filter("EQUALS", name),
            **({"namespace": self._namespace} if self._namespace else {}),
        )
        return self._required(found[0].experiment_id, "an experiment's id") if found else None

    def _run(self, answer: Any) -> RemoteRun:
        details = getattr(answer.run_details, "task_details", None) or []
        errors = [answer.error, *(task.error for task in details)]
        return RemoteRun(
            id=self._required(answer.run_id, "a run's id"),
            name=answer.display_name or "",
            state=(answer.state or "PENDING").upper(),
            created=answer.created_at or LONG_AGO,
            tasks={task.display_name: (task.state or "PENDING").upper() for task in details if task.display_name},
            error="; ".join(error.message for error in errors if error is not None and error.message),
        )

    def _recurring(self, answer: Any) -> RemoteRun:
        return RemoteRun(
            id=self._required(answer.recurring_run_id, "a recurring run's id"),
            name=answer.display_name or "",
            state=(answer.status or "ENABLED").upper(),
            created=answer.created_at or LONG_AGO,
            tasks={},
            error="",
        )

    def _pages(self, doing: str, call: Callable[..., Any], field: str, **arguments: Any) -> list[Any]:
        found: list[Any] = []
        token = ""
        while True:
            answer = self._ask(doing, call, page_token=token, page_size=PAGE, **arguments)
            found += getattr(answer, field) or []
            token = answer.next_page_token or ""
            if not token:
                return found

    def _ask(self, doing: str, call: Callable[..., Any], **arguments: Any) -> Any:
        with self._errors(doing):
            answer = call(_request_timeout=TIMEOUT_S, **arguments)
            self._require_json(doing)
            return answer

    def _require_json(self, doing: str) -> None:
        """Raise where the server answered well, but not in JSON: the generated client would make an empty object."""
        text = str(self._client._run_api.api_client.last_response.data)
        try:
            json.loads(text)
        except ValueError as error:
            raise Mistake(
                f"{self._told(doing)}: {_what(text)} came instead of JSON; log in, or give the URL beneath which the "
                "API lies, like https://kubeflow.example.org/pipeline"
            ) from error

    def _required(self, value: str | None, called: str) -> str:
        if not value:
            raise Mistake(f"{self.host}: answered without {called}; is it a Kubeflow Pipelines server of version 2?")
        return value

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except api.ApiException as error:
            raise _error_of(error, self._told(doing)) from error
        except HTTPError as error:
            raise Outage(
                f"{self._told(doing)}: no answer ({_reason(error)}); is the host right, does a port-forward run?"
            ) from error
        except (api.OpenApiException, ValueError, TypeError, AttributeError) as error:
            raise Mistake(f"{self._told(doing)}: an answer that cannot be read ({error})") from error

    def _told(self, doing: str) -> str:
        return f"Kubeflow at {self.host or 'the cluster of KUBECONFIG'}: {doing}"


def _require_place(host: str) -> None:
    """Raise where neither a host is given nor anything that kfp's client finds one by."""
    named = host or any(
        name in os.environ for name in ("KF_PIPELINES_ENDPOINT", "KUBERNETES_SERVICE_HOST", "KUBECONFIG")
    )
    if not named and not Path("~/.kube/config").expanduser().exists():
        raise Mistake(
            "no Kubeflow is named; give --host URL, ARGOSY_KUBEFLOW_HOST or [tool.argosy] kubeflow_host "
            "(with KUBECONFIG the API is reached through the cluster's own)"
        )


class _Exists(Mistake):
    """What was to be created is there."""


def _error_of(error: Any, place: str) -> ArgosyError:
    status = int(error.status or 0)
    kind, advice = BY_STATUS.get(status, (Outage if status >= 500 else Mistake, "try again"))
    if status in {400, 422}:
        advice = "it refuses what was asked"
    said = _said(error.body or error.reason)
    message = f"{place}: {status or 'TLS'}: {advice}{f' ({said})' if said else ''}"
    return _Exists(message) if status == 409 else kind(message)


def _said(body: Any) -> str:
    """Return the message in an error's body, which may be JSON, a page or anything."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        document = json.loads(text)
    except ValueError:
        return _what(text)
    message = document.get("message") or document.get("error") if isinstance(document, dict) else document
    return " ".join(str(message or "").split())[:300]


def _what(text: str) -> str:
    """Say in a few words what came instead of JSON."""
    title = re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title or text.lstrip()[:1] == "<":
        return f"an HTML page ({' '.join(title[1].split())[:80]})" if title else "an HTML page"
    return " ".join(text.split())[:80] or "an empty answer"


def _reason(error: HTTPError) -> str:
    """Return the innermost reason; the outer ones repeat the URL and name classes of the HTTP library."""
    inner = getattr(error, "reason", None) or error
    while inner.args and isinstance(inner.args[-1], Exception):
        inner = inner.args[-1]
    return re.sub(r"^.*?>?: ", "", str(inner), count=1)[:160] or type(inner).__name__


def _filter(operation: str, name: str) -> str:
    return json.dumps({"predicates": [{"operation": operation, "key": "display_name", "stringValue": name}]})


def _age(run: RemoteRun) -> tuple[datetime, str]:
    return run.created, run.id
