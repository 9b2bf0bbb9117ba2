"""The lab for every test of the launcher."""

from tests.fakes.launching import answering, lab, shared_servers

__all__ = ["answering", "lab", "shared_servers"]
