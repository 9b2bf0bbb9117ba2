"""A store with runs, records, refs and effects in it, made without running anything."""

import hashlib
import os
import time
from datetime import timedelta

from argosy.launcher.artifacts import artifacts_in, is_sound, store_artifact, stored_artifact
from argosy.launcher.effects import effect_path, write_done
from argosy.launcher.refs import move_ref, read_ref
from argosy.launcher.step import Output

DAY = timedelta(days=1)


class World:
    """Fills a store as runs would, and says what is left of it."""

    def __init__(self, store, folder):
        self.store = store
        self.folder = folder
        self.count = 0

    def key(self, name):
        """Return the key that stands for a name."""
        return hashlib.sha256(name.encode()).hexdigest()

    def artifact(self, text):
        """Store an artifact of two files."""
        self.count += 1
        folder = self.folder / f"artifact-{self.count}"
        folder.mkdir(parents=True)
        (folder / "data").write_text(text, encoding="utf-8")
        (folder / "more").write_text(text * 2, encoding="utf-8")
        return store_artifact(self.store, folder, {})

    def record(self, name, run, *, inputs=(), text=None, generation=1):
        """Commit a step that made one artifact out of others; return that."""
        made = self.artifact(name if text is None else text)
        log = self.store.put_bytes(f"log of {name}".encode())
        key = {"inputs": {str(n): artifact.digest for n, artifact in enumerate(inputs)}}
        outputs = {"out": Output(made).to_json()}
        record = {"key": key, "step": name, "run": run, "outputs": outputs, "log": f"sha256:{log}"}
        assert self.store.append(f"steps/{self.key(name)}", generation, record)
        return made

    def begin(self, run, pipeline="flights", started=""):
        """Register a run."""
        self.store.create_json(f"runs/{run}/run.json", {"run": run, "pipeline": pipeline, "started": started or run})

    def end(self, run, names, **outputs):
        """Write the end of a run that ran or reused some steps."""
        steps = [{"name": name, "key": f"sha256:{self.key(name)}"} for name in names]
        self.store.write_json(f"runs/{run}/result.json", {"run": run, "steps": steps, "outputs": outputs})

    def run(self, run, names, pipeline="flights", **outputs):
        """Make a whole run whose steps have each the one before as input."""
        self.begin(run, pipeline)
        made = []
        for name in names:
            made.append(self.record(name, run, inputs=made[-1:]))
        self.end(run, names, **outputs)
        return made

    def promote(self, artifact, ref="flights/champion"):
        """Move a ref."""
        expected = read_ref(self.store, ref).target
        verdict, _ = move_ref(self.store, ref, artifact.digest, expected=expected, cause={})
        assert verdict == "promoted"

    def register(self, artifact):
        """Note a registered version in the ledger."""
        key = {"model": artifact.digest}
        write_done(self.store, effect_path("register", key), key, {"version": Output(1, measured=True).to_json()})

    def keys(self):
        """Return the keys that have records."""
        return {path.split("/")[1] for path in self.store.paths("steps")}

    def has(self, *names):
        """Say for each name whether its record is there with all of its blobs."""
        return [self._is_whole(name) for name in names]

    def is_whole(self, artifact):
        """Say whether an artifact is there, by its digest alone."""
        return is_sound(self.store, stored_artifact(self.store, artifact.digest), reread=True)

    def grow_old(self, age):
        """Set back when everything in a local store was written."""
        before = time.time() - age.total_seconds()
        for path in self.store.root.rglob("*"):
            if path.is_file():
                os.utime(path, (path.stat().st_atime, min(before, path.stat().st_mtime)))

    def _is_whole(self, name):
        _, record = self.store.latest(f"steps/{self.key(name)}")
        if record is None:
            return False
        values = [Output.from_json(output).value for output in record["outputs"].values()]
        found = [artifact for value in values for artifact in artifacts_in(value)]
        whole = all(is_sound(self.store, artifact, reread=True) for artifact in found)
        log = self.store.read_blob(record["log"].removeprefix("sha256:"))
        assert whole, f"a blob of {name} is gone and its record is not"
        assert log is not None, f"the log of {name} is gone and its record is not"
        return True
