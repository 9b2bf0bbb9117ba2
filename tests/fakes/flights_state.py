"""What a run of flights leaves behind that matters: everything but times, attempts and measurements."""

from typing import Any

from argosy.launcher.deployment import served_digest
from argosy.launcher.refs import ref_history, ref_names
from argosy.launcher.store import open_store
from argosy.registry.effects import read_registry

MODEL = "flights-delay"


def flights_state(project, url: str) -> dict[str, Any]:
    """Return the end state of a flights project: values, refs, ledger, registry, served digest."""
    return stored_state(project, str(project.store)) | {"served": served_digest(url)}


def stored_state(project, store_url: str) -> dict[str, Any]:
    """Return what is in a store, and in the project's registry."""
    store = open_store(store_url, state=project.state / "look")
    return {
        "records": {folder: values(store.latest(folder)[1]) for folder in folders(store, "steps")},
        "refs": {name: [ref.to_json() for ref, _ in ref_history(store, name)] for name in ref_names(store)},
        "ledger": {path: ledger_entry(store.read_json(path), project) for path in store.paths("effects")},
        "registry": registry(project),
    }


def folders(store, prefix: str) -> list[str]:
    return sorted({path.rsplit("/", 1)[0] for path in store.paths(prefix)})


def values(record) -> dict[str, Any]:
    outputs = {name: output for name, output in record["outputs"].items() if not output["measured"]}
    return {name: output.get("artifact", output.get("value")) for name, output in outputs.items()}


def ledger_entry(entry, project) -> dict[str, Any]:
    measured = {name: output for name, output in entry["outputs"].items() if not output["measured"]}
    return {"state": entry["state"], "key": entry["key"], "outputs": measured}


def registry(project) -> dict[str, Any]:
    found = read_registry(f"sqlite:///{project.state}/mlflow.db", MODEL)
    digest_of = {entry["version"]: digest for digest, entries in found["versions"].items() for entry in entries}
    return {
        "versions": {digest: [entry["tags"] for entry in entries] for digest, entries in found["versions"].items()},
        "aliases": {alias: digest_of[version] for alias, version in found["aliases"].items()},
        "tags": found["tags"],
    }
