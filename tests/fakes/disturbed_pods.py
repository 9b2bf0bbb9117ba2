"""What deletes pods, or has them fail, before their steps are through."""

import sys
import threading
import time

from tests.fakes.projects import ROOT

STOPPED = str(ROOT / "tests" / "fakes" / "stopped_pod.py")


def task_of(pod):
    """Return the name of a pod's task, with the loop and round around it."""
    return pod.path.removeprefix("main.")


def deleting(*points, tasks=None, grace_s=0):
    """Return what deletes the first pod of each of these tasks, or of all, where it reaches one of these points.

    Without points that is once the code of its step has begun, where that looks for `STAY`.
    """

    def disturb(pod):
        if pod.attempt or not (tasks is None or task_of(pod) in tasks):
            return
        sign = pod.folder / "sign"
        if points:
            assert pod.words[1:3] == ["-m", "argosy.launcher.argo"]
            pod.words = [sys.executable, STOPPED, ",".join(points), str(sign), *pod.words[3:]]
        else:
            pod.env = {**pod.env, "STAY": str(sign)}
        threading.Thread(target=_delete_at, args=(pod, sign, grace_s), daemon=True).start()

    return disturb


def _delete_at(pod, sign, grace_s):
    while pod.code is None and not pod.leaving:
        if sign.exists():
            pod.delete(grace_s)
        time.sleep(0.01)


def failing(*tasks):
    """Return what has the pods of some tasks fail before they do anything."""

    def disturb(pod):
        if task_of(pod) in tasks:
            pod.words = [sys.executable, "-c", "import sys; sys.exit('out of order')"]

    return disturb
