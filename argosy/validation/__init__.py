"""Checks of delivered data: what to read, what to refuse, what to set aside, and why."""
