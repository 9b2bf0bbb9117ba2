"""What runs leave in a store that matters: everything but times, attempts and names of runs."""

import json
from pathlib import Path
from typing import Any

from argosy.launcher.refs import ref_history, ref_names
from argosy.launcher.store import Store, open_store

STATE = "end-state"


def end_state(url: Path | str, state: Path | None = None) -> dict[str, Any]:
    """Return the values by key, the refs, the ledger and what was found nondeterministic in a store.

    Blobs that a value names are read, so that two equal end states hold the same bytes. A remote store needs a folder
    for the state of whoever looks.
    """
    store = open_store(str(url), state=state or Path(url).parent / STATE)
    try:
        return {
            "values": {key: record_values(store, key) for key in keys(store)},
            "refs": {name: [ref.to_json() for ref, _ in ref_history(store, name)] for name in ref_names(store)},
            "ledger": {path: ledger_entry(store, path) for path in store.paths("effects")},
            "audit": store.paths("audit"),
        }
    finally:
        store.stamps.close()


def keys(store: Store) -> list[str]:
    """Return the keys that have records."""
    return sorted({path.split("/")[1] for path in store.paths("steps")})


def record_values(store: Store, key: str) -> dict[str, Any]:
    """Return the outputs of the newest record under a key, which has to be whole."""
    _, record = store.latest(f"steps/{key}")
    assert record is not None, f"steps/{key} cannot be read"
    return outputs(store, record["outputs"])


def ledger_entry(store: Store, path: str) -> dict[str, Any]:
    """Return an entry of the ledger."""
    entry = store.read_json(path)
    assert entry is not None, f"{path} cannot be read"
    return {"state": entry["state"], "key": entry["key"], "outputs": outputs(store, entry["outputs"])}


def outputs(store: Store, documents: dict[str, Any]) -> dict[str, Any]:
    """Return outputs by name: values, digests of sound artifacts, and of measurements only that they are there."""
    return {name: "measured" if each["measured"] else value(store, each) for name, each in documents.items()}


def value(store: Store, output: dict[str, Any]) -> Any:
    """Return what an output holds."""
    if "artifact" not in output:
        return json.loads(json.dumps(output["value"]))
    damaged = [sha256 for sha256, size in output["blobs"].items() if not store.is_sound(sha256, size, reread=True)]
    assert not damaged, f"{output['artifact']}: blobs {damaged} are damaged"
    return output["artifact"]
