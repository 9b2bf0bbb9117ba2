"""Runs a plan on this machine: tasks in parallel, each in a process forked from a warm server.

`runner` schedules, `forkserver` is the server's own program, `processes` talks to it, `records` writes what happened.
"""
