"""The lab for every test of the local runner."""

from tests.fakes.launching import lab, shared_servers

__all__ = ["lab", "shared_servers"]
