"""What the server counts, and how Prometheus reads it.

Counting is done by hand, in less than a microsecond; prometheus_client is imported by the first scrape. The event loop
alone counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from argosy.features.vector import Seen
    from argosy.serving.served_log import ServedLog

LATENCY_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
AGE_S = (1.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0, 604_800.0)
OTHER = "other"


class Histogram:
    """Counts of values by the smallest bound that they do not exceed, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Return the counts up to each bound, as Prometheus adds them up, and the sum."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True)), self._sum


class Metrics:
    """The counts of one server process.

    Args:
        paths: That are counted by name; all others are one.
        served_log: Whose records are counted, if there is one.

    """

    def __init__(self, paths: Sequence[str], served_log: ServedLog | None = None) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._latency = {path: Histogram(LATENCY_S) for path in (*paths, OTHER)}
        self._reads: Counter[tuple[str, str]] = Counter()
        self._ages: dict[str, Histogram] = {}
        self._served_log = served_log
        self.outages = 0

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        path = path if path in self._latency else OTHER
        self._requests[path, status] += 1
        self._latency[path].add(seconds)

    def count_reads(self, views: Mapping[str, Seen]) -> None:
        """Count what a request found in each view, and how old it was."""
        for name, (_, status, age_s) in views.items():
            self._reads[name, status] += 1
            if age_s is not None:
                ages = self._ages.get(name) or self._ages.setdefault(name, Histogram(AGE_S))
                ages.add(age_s)

    def render(self) -> tuple[bytes, bytes]:
        """Write all in Prometheus' text format; return it and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_LATEST.encode()

    def collect(self) -> Iterator[Any]:
        """Yield the metric families, as a collector of prometheus_client does."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily("argosy_requests", "Requests answered.", labels=["path", "status"])
        for (path, status), count in sorted(self._requests.items()):
            requests.add_metric([path, str(status)], count)
        yield requests
        latency = HistogramMetricFamily("argosy_request_seconds", "Time to answer a request.", labels=["path"])
        for path, histogram in self._latency.items():
            latency.add_metric([path], *histogram.buckets())
        yield latency
        reads = CounterMetricFamily(
            "argosy_view_reads", "Rows looked up, by what they were.", labels=["view", "status"]
        )
        for read, count in sorted(self._reads.items()):
            reads.add_metric(list(read), count)
        yield reads
        ages = HistogramMetricFamily("argosy_view_age_seconds", "Age of the rows found.", labels=["view"])
        for view, histogram in sorted(self._ages.items()):
            ages.add_metric([view], *histogram.buckets())
        yield ages
        yield CounterMetricFamily("argosy_online_outages", "Reads that the store did not answer.", self.outages)
        if self._served_log is not None:
            records = CounterMetricFamily("argosy_served_records", "Records of what was served.", labels=["fate"])
            records.add_metric(["written"], self._served_log.written)
            records.add_metric(["dropped"], self._served_log.dropped)
            yield records
