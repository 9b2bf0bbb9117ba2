"""MLflow as a projection: versions by model digest, aliases that follow refs, models read from the store.

The settings below have to be in the environment before `mlflow` is imported, hence here; what the user has
set stays. MLflow must not report usage, must not keep a step waiting for minutes when its server is away
(the orchestrator retries, by exit code), and must not log schema migrations to people.
"""

import os

for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}.items():
    os.environ.setdefault(_name, _value)
