"""What is measured, for Prometheus. [faults §4, the minimal set]

The processes of one server share their counters through files in PROMETHEUS_MULTIPROC_DIR, where
`app` has set that; whichever of them is asked then answers for all.
"""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from counterfoil.book.standing import Standing
from counterfoil.kernel.db import counter

SHARED = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Meter:
    """Counts the requests of a process; labelled children are looked up once and kept."""

    def __init__(self) -> None:
        # The library looked for the folder when it was imported, in the parent of this process.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests", "Requests answered.", ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "http_request_seconds", "From the first byte in to the last byte out.",
            ("method", "route"), buckets=_BUCKETS, registry=self.registry,
        )
        self.statements = Counter(
            "database_statements", "Statements sent.", registry=self.registry
        )
        self.hooks = Counter(
            "webhook_in", "Calls of providers to us, by what became of them.",
            ("provider", "result"), registry=self.registry,
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        self._statements = 0

    def count(self, method: str, route: str, status: int, elapsed: float) -> None:
        """Count a request that took `elapsed` seconds."""
        one = self._counters.get((method, route, status))
        if one is None:
            one = self.requests.labels(method, route, str(status))
            self._counters[method, route, status] = one
        one.inc()
        histogram = self._histograms.get((method, route))
        if histogram is None:
            histogram = self._histograms[method, route] = self.seconds.labels(method, route)
        histogram.observe(elapsed)
        sent = counter.statements - self._statements
        if sent:
            self._statements += sent
            self.statements.inc(sent)

    def hook(self, provider: str, result: str) -> None:
        """Count a provider's call: received, repeated, refused or too_large."""
        self.hooks.labels(provider, result).inc()

    def expose(self, standings: Sequence[Standing]) -> bytes:
        """Write everything in Prometheus' text format."""
        counted = CollectorRegistry()
        try:
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        except ValueError:
            counted = self.registry
        waiting = CollectorRegistry()
        waiting.register(Standings(standings))
        return generate_latest(counted) + generate_latest(waiting)


class Standings(Collector):
    """What the database says at the moment of asking, over all accounts."""

    def __init__(self, standings: Sequence[Standing]) -> None:
        self._standings = standings

    def collect(self) -> Iterator[Metric]:
        """Give each figure: counts as sums, ages as the worst."""
        every = self._standings
        for name, why, value in (
            ("payment_operations_unsettled", "Movements nobody knows the outcome of.",
             sum(one.unsettled for one in every)),
            ("payment_operation_unknown_age_seconds_max", "The oldest of them.",
             max((one.unsettled_age_ms for one in every), default=0) / 1000),
            ("feed_facts_unplaced", "Facts that the feed does not have yet.",
             sum(one.unplaced for one in every)),
            ("feed_lag_seconds", "The age of the oldest of them.",
             max((one.feed_lag_ms for one in every), default=0) / 1000),
            ("letters_waiting", "Letters not sent yet.", sum(one.letters for one in every)),
            ("hooks_waiting", "Calls of providers that nobody has looked into to the end.",
             sum(one.hooks for one in every)),
            ("drift_lines_open", "What providers say and our book does not, or the reverse.",
             sum(one.drift for one in every)),
            ("rows_due", "Rows that a worker should have taken.", sum(one.due for one in every)),
        ):
            yield GaugeMetricFamily(name, why, value=value)
