"""`argosy verify`: reads everything and says what does not hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_json, print_line
from argosy.errors import Mistake
from argosy.launcher.artifacts import artifacts_in, is_sound
from argosy.launcher.refs import read_ref, ref_history, ref_names
from argosy.launcher.step import Output
from argosy.session import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from argosy.launcher.refs import Ref
    from argosy.launcher.store import Store
    from argosy.session import Session


def verify_store(*, repair: bool, store: str | None, as_json: bool) -> int:
    """Print what is damaged or does not agree; return 1 if anything is.

    Args:
        repair: Draw the refs into the registry again before they are compared with it.
        store: The store's URL or path, if a flag gave one.
        as_json: Print one document.

    """
    session = open_session(store=store)
    if repair:
        _redraw(session)
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
            problems += [
                f"{record['step']}: output {name} ({artifact.digest}) is damaged; its step will run again"
                for artifact in artifacts_in(Output.from_json(document).value)
                if not is_sound(store, artifact, reread=True)
            ]
    return len(folders), problems


def check_refs(store: Store) -> list[str]:
    """Check that each ref is an unbroken chain whose `previous` were targets before."""
    problems = []
    for name in ref_names(store):
        try:
            problems += [f"ref {name}: {problem}" for problem in _chain_problems(ref_history(store, name))]
        except Mistake as error:
            problems.append(str(error))
    return problems


def _chain_problems(history: Sequence[tuple[Ref, Any]]) -> Iterator[str]:
    targets: set[str | None] = {None}
    for number, (ref, _) in enumerate(history, start=1):
        if ref.generation != number:
            yield f"generation {number} is missing"
            return
        if ref.previous not in targets:
            yield f"generation {number} names a previous target that never was one"
        targets.add(ref.target)


def check_registry(store: Store, tracking_uri: str) -> list[str]:
    """Compare aliases, stages and holds with the refs; a registry that was never used has nothing to compare."""
    champions = _champions(store)
    if not champions:
        return []
    from argosy.registry.effects import read_registry

    found = []
    for ref in champions:
        registry = read_registry(tracking_uri, ref.name.rsplit("/", 1)[0])
        found += [f"registry: {ref.name}: {problem}" for problem in _projection_problems(ref, registry)]
    return found


def _projection_problems(ref: Ref, registry: Mapping[str, Any]) -> Iterator[str]:
    remedy = "`argosy verify --repair` draws the ref again"
    versions = {entry["version"]: digest for digest, entries in registry["versions"].items() for entry in entries}
    aliased = versions.get(registry["aliases"].get("champion"))
    if aliased != ref.target:
        yield f"the alias champion is at {aliased}, the ref at {ref.target}; {remedy}"
    for digest, entries in registry["versions"].items():
        if len(entries) > 1:
            yield f"{len(entries)} versions of {digest}; the lowest is the one that counts"
        tags = entries[0]["tags"]
        if (tags.get("stage") == "production") != (digest == ref.target):
            yield f"{digest} is tagged stage={tags.get('stage')}, the ref is at {ref.target}; {remedy}"
        if ("held" in tags) != (digest in ref.held):
            yield f"{digest} is tagged held={tags.get('held')}, the ref holds {', '.join(ref.held) or 'none'}; {remedy}"


def _champions(store: Store) -> list[Ref]:
    """Return the refs that the registry follows; one that cannot be read is among the problems already."""
    found = []
    for name in ref_names(store):
        with suppress(Mistake):
            found += [read_ref(store, name)] if name.endswith("/champion") else []
    return found


def _redraw(session: Session) -> None:
    from argosy.release.promotion import redraw

    for ref in _champions(session.store):
        redraw(ref, tracking_uri=session.settings.tracking_uri)
