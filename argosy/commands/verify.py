"""`argosy verify`: reads everything and says what does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.commands.printing import print_json, print_line
from argosy.launcher.artifacts import Artifact, is_sound
from argosy.launcher.refs import ref_history, ref_names
from argosy.launcher.step import Output
from argosy.session import open_session

if TYPE_CHECKING:
    from argosy.launcher.store import Store


def verify_store(*, store: str | None, as_json: bool) -> int:
    """Print what is damaged or does not agree; return 1 if anything is."""
    session = open_session(store=store)
    checked, problems = check_records(session.store)
    problems += check_refs(session.store) + check_registry(session.store, session.settings.tracking_uri)
    if as_json:
        print_json({"records": checked, "problems": problems})
    else:
        for problem in problems:
            print_line(problem)
        print_line(f"{checked} records read, {len(problems)} problems")
    return 1 if problems else 0


def check_records(store: Store) -> tuple[int, list[str]]:
    """Read every blob of every step's newest record."""
    folders = sorted({path.rsplit("/", 1)[0] for path in store.paths("steps")})
    problems = []
    for folder in folders:
        generation, record = store.latest(folder)
        if record is None:
            problems.append(f"{folder}/{generation:08d}.json cannot be read; its step will run again")
            continue
        for name, document in record["outputs"].items():
            value = Output.from_json(document).value
            if isinstance(value, Artifact) and not is_sound(store, value, reread=True):
                problems.append(f"{record['step']}: output {name} ({value.digest}) is damaged; its step will run again")
    return len(folders), problems


def check_refs(store: Store) -> list[str]:
    """Check that each ref is an unbroken chain whose `previous` were targets before."""
    problems = []
    for name in ref_names(store):
        targets: set[str | None] = {None}
        for number, (ref, _) in enumerate(ref_history(store, name), start=1):
            if ref.generation != number:
                problems.append(f"ref {name}: generation {number} is missing")
                break
            if ref.previous not in targets:
                problems.append(f"ref {name}: generation {number} names a previous target that never was one")
            targets.add(ref.target)
    return problems


def check_registry(store: Store, tracking_uri: str) -> list[str]:
    """Compare MLflow's aliases with the refs; a registry that was never used has nothing to compare."""
    names = [name for name in ref_names(store) if name.endswith("/champion")]
    if not names:
        return []
    from argosy.registry.effects import read_registry

    problems = []
    for name in names:
        model = name.rsplit("/", 1)[0]
        ref, _ = ref_history(store, name)[-1]
        registry = read_registry(tracking_uri, model)
        version = registry["aliases"].get("champion")
        digests = {entry["version"]: digest for digest, found in registry["versions"].items() for entry in found}
        if digests.get(version) != ref.target:
            problems.append(
                f"registry: {model}@champion is {digests.get(version)}, the ref says {ref.target}; "
                "run the pipeline again to finish the projection"
            )
        problems += [
            f"registry: {model} has {len(found)} versions of {digest}; the lowest is the one that counts"
            for digest, found in registry["versions"].items()
            if len(found) > 1
        ]
    return problems
