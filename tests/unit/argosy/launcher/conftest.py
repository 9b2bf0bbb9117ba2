"""The lab for every test of the launcher."""

from tests.fakes.launching import lab, shared_servers

__all__ = ["lab", "shared_servers"]
