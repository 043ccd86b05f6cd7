"""Runs and drift lines as their pages show them: words, figures, shares, what to do."""

import msgspec

from counterfoil.book.reconciliations import INSTANT, Reconciliation
from counterfoil.order.config import Gateway
from counterfoil.order.drift import DRIFTS, DriftLine
from counterfoil.portal import books_words, figures
from counterfoil.portal.books_words import CLOSING, RUN_KINDS, unknown
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import gateway_name
from counterfoil.portal.words import Word

#: What became of what was seen: field, words for a comparison, words for a file, tone of its share.
_COMPARED = (
    ("matched", "agree", "success"),
    ("changed", "brought up to date", "info"),
    ("drifted", "differ", "warning"),
    ("failed", "could not be compared", "danger"),
)
_READ = (
    ("matched", "matched", "success"),
    ("drifted", "differ", "warning"),
    ("failed", "unreadable", "danger"),
)


class Share(msgspec.Struct, frozen=True):
    """A part of a bar: its tone, and where it stands on a width of 1,000."""

    tone: str
    start: int
    width: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run and how it is told."""

    told: Reconciliation

    @property
    def of_file(self) -> bool:
        """Whether it read a settlement file."""
        return self.told.kind == "settlement"

    @property
    def gateway(self) -> str:
        """The gateway's name for people."""
        return gateway_name(self.told.gateway)

    @property
    def kind(self) -> str:
        """What kind of run it is, in words."""
        return RUN_KINDS.get(self.told.kind, self.told.kind)

    @property
    def running(self) -> bool:
        """Whether it goes on, so that its page asks again."""
        return self.told.status == "RUNNING"

    @property
    def word(self) -> Word:
        """What came of it, in a word."""
        told = self.told
        if self.running:
            return books_words.RUNNING
        if told.status == "FAILED":
            return books_words.BROKEN_OFF
        if told.drifted:
            return books_words.DIFFERS
        if told.failed:
            return books_words.NOT_WHOLE
        return books_words.AGREES if told.seen else books_words.NOTHING

    @property
    def by(self) -> str:
        """Who asked for it; empty where the program did."""
        asked = self.told.asked_by
        return "" if asked.get("kind") == "system" else str(asked.get("name") or "")

    @property
    def tag(self) -> str:
        """What changes whenever the run has come further."""
        told = self.told
        return f"{told.status}-{told.seen}-{told.found}-{told.settled}-{told.drifted}"

    @property
    def pairs(self) -> tuple[tuple[str, int], ...]:
        """Its figures with their words."""
        told = self.told
        if self.of_file:
            return (
                ("Lines", told.seen), ("Matched", told.matched), ("Booked now", told.settled),
                ("Differ", told.drifted), ("Unreadable", told.failed),
            )  # fmt: skip
        return (
            ("Compared", told.seen), ("Agree", told.matched), ("Found", told.found),
            ("Settled", told.settled), ("Differ", told.drifted), ("Failed", told.failed),
        )  # fmt: skip

    @property
    def sentence(self) -> str:
        """Its figures as a sentence, without those that are nothing."""
        told = self.told
        what = "line" if self.of_file else "payment"
        parts = [figures.plural(told.seen, what, f"{what}s")]
        parts += [
            f"{figures.count(self._part(name))} {words}"
            for name, words, _ in (_READ if self.of_file else _COMPARED)
            if self._part(name)
        ]
        for number, one, other in (
            (told.found, "movement found", "movements found"),
            (told.settled, "booked", "booked") if self.of_file else
            (told.settled, "movement settled", "movements settled"),
        ):  # fmt: skip
            if number:
                parts.append(figures.plural(number, one, other))
        return " · ".join(parts)

    @property
    def shares(self) -> list[Share]:
        """What became of what was seen, as one bar."""
        rows = _READ if self.of_file else _COMPARED
        return bar([(tone, self._part(name)) for name, _, tone in rows], self.told.seen)

    def _part(self, name: str) -> int:
        told = self.told
        if name == "changed":
            return max(0, told.seen - told.matched - told.drifted - told.failed)
        return int(getattr(told, name))


class AtGateway(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway among those that are compared: its last comparison, its last file, what is open."""

    gateway: Gateway
    run: Run | None
    file: Run | None
    open_drift: int
    form: Form
    upload: Form

    @property
    def name(self) -> str:
        """The gateway's name for people."""
        return gateway_name(self.gateway.code)

    @property
    def compares(self) -> bool:
        """Whether there is somebody to compare with: a till keeps no account of its own."""
        return self.gateway.kind not in INSTANT


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the drift report and how it is told; `number` is the order's."""

    told: DriftLine
    number: str = ""

    @property
    def gateway(self) -> str:
        """The gateway's name for people."""
        return gateway_name(self.told.gateway)

    @property
    def word(self) -> Word:
        """What differs, in words."""
        return books_words.DRIFT.get(self.told.kind) or unknown(self.told.kind)

    @property
    def what_to_do(self) -> str:
        """What to do about it."""
        return DRIFTS.get(self.told.kind, "Ask the provider.")

    @property
    def closing(self) -> str:
        """What closing it does beside closing."""
        return CLOSING.get(self.told.kind, "")

    @property
    def ours(self) -> str:
        """What our book says."""
        return self._money(self.told.ours)

    @property
    def theirs(self) -> str:
        """What the provider says."""
        return self._money(self.told.theirs)

    def _money(self, minor: int | None) -> str:
        currency = self.told.currency
        return "–" if minor is None or not currency else figures.money(minor, currency)

    @property
    def by(self) -> str:
        """Who closed it."""
        return str((self.told.resolved_by or {}).get("name") or "")


def bar(parts: list[tuple[str, int]], whole: int) -> list[Share]:
    """Lay parts of a whole side by side on a width of 1,000; none where there is nothing."""
    shares: list[Share] = []
    done = 0
    for tone, part in parts:
        start, done = done, done + part
        if whole > 0 and part > 0:
            begin, end = start * 1000 // whole, done * 1000 // whole
            shares.append(Share(tone, begin, max(2, end - begin)))
    return shares


def lines_of(found: list[DriftLine], numbers: dict[str, str]) -> list[Line]:
    """Make lines of what was read, with the numbers of their orders."""
    return [Line(told=one, number=numbers.get(one.order_id or "", "")) for one in found]

