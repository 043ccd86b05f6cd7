"""What is counted about requests, for Prometheus. [faults §4, the minimal set]"""

from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

requests = Counter(
    "http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
)
seconds = Histogram(
    "http_request_seconds", "From the first byte in to the last byte out.", ("method", "route"),
    buckets=_BUCKETS, registry=registry,
)


class Meter:
    """Counts one request; the labelled children are looked up once and kept."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}

    def count(self, method: str, route: str, status: int, elapsed: float) -> None:
        """Count a request that took `elapsed` seconds."""
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = requests.labels(method, route, str(status))
            self._counters[method, route, status] = counter
        counter.inc()
        histogram = self._histograms.get((method, route))
        if histogram is None:
            histogram = self._histograms[method, route] = seconds.labels(method, route)
        histogram.observe(elapsed)
