"""The lab for every test of the launcher, and a real S3 server."""

from tests.fakes.launching import answering, lab, shared_servers
from tests.fakes.s3_server import s3, s3_endpoint

__all__ = ["answering", "lab", "s3", "s3_endpoint", "shared_servers"]
