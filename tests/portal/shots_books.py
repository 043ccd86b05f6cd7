"""The pages of the books that are looked at: comparisons, drift, ledger, inbound events."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.balances import Balance, EntryShape, TrialRow
from counterfoil.book.inbound import WholeEvent
from counterfoil.book.reconciliations import Reconciliation, RunError
from counterfoil.order.config import Gateway
from counterfoil.order.drift import DRIFTS, DriftLine
from counterfoil.order.ledger import CHART
from counterfoil.portal.books_ledger import OUTCOMES, gateways_of, merchants_of, trials_of
from counterfoil.portal.books_runs import AtGateway, Line, Run
from counterfoil.portal.books_words import ACCOUNTS, ENTRIES
from counterfoil.portal.forms import Form
from counterfoil.portal.routes.inbound import shown, shown_body, shown_headers
from tests.portal.samples import ANNA, FRAME, NOW, SYSTEM

AT_RUNS = msgspec.structs.replace(FRAME, here="reconciliation")
AT_LEDGER = msgspec.structs.replace(FRAME, here="ledger")
AT_INBOUND = msgspec.structs.replace(FRAME, here="inbound")
LONG = "a-gateway-with-a-long-name-indeed"
RUN_ID = "0199c000-0000-7000-8000-00000000aa01"


def _run(**given: Any) -> Run:
    usual = {
        "id": RUN_ID, "gateway": "card-eu", "kind": "nightly", "slot": "2026-11-21",
        "status": "COMPLETED", "since": NOW - timedelta(days=1), "seen": 1204, "matched": 1190,
        "found": 3, "settled": 9, "drifted": 2, "failed": 1, "asked_by": SYSTEM,
        "started_at": NOW - timedelta(hours=8), "finished_at": NOW - timedelta(hours=7),
    }
    return Run(told=Reconciliation(**{**usual, **given}))


FILE = _run(
    kind="settlement", slot="d1", name="payout-2026-11-20-with-a-very-long-name-of-a-file.csv",
    seen=240, matched=236, found=0, settled=236, drifted=2, failed=2, asked_by=ANNA,
    errors=[
        RunError(line=17, detail="'12,50' is no amount."),
        RunError(line=203, detail="'2026-11-20' has no time zone."),
    ],
)
AGREES = _run(seen=18, matched=18, found=0, settled=0, drifted=0, failed=0, gateway=LONG)
RUNNING = _run(status="RUNNING", kind="manual", asked_by=ANNA, finished_at=None, seen=400,
               matched=398, found=1, settled=2, drifted=0, failed=0)
EMPTY = _run(seen=0, matched=0, found=0, settled=0, drifted=0, failed=0, kind="manual")
BROKEN = _run(status="FAILED", seen=5, matched=0, found=0, settled=0, drifted=0, failed=5,
              errors=[RunError(detail="The provider is silent.")])


def _card(code: str, **given: Any) -> AtGateway:
    gateway = Gateway(
        id=code, code=code, kind=given.pop("kind", "sandbox"), has_credentials=True, settings={},
        created_at=NOW,
    )
    usual = {"run": None, "file": None, "open_drift": 0, "form": Form(), "upload": Form()}
    return AtGateway(gateway=gateway, **{**usual, **given})


def reconciliation(**given: Any) -> dict[str, Any]:
    refused = Form(errors={f"file-{LONG}": "The first line must name the columns: fee missing."})
    cards = [
        _card("card-eu", run=_run(), file=FILE, open_drift=12),
        _card(LONG, run=AGREES, upload=refused),
        _card("zip-nz"),
        _card("till", kind="manual"),
    ]
    usual = {
        "cards": cards, "runs": [RUNNING, FILE, _run(), AGREES, BROKEN, EMPTY], "open_drift": 12,
        "newest": "/portal/reconciliation", "older": "/portal/reconciliation?after=x",
    }
    return usual | given


def _line(kind: str, **given: Any) -> Line:
    usual = {
        "id": f"line-{kind}", "gateway": "card-eu", "kind": kind, "order_id": "o",
        "reference": "0199c000-0000-7000-8000-00000000bb01", "gateway_transaction_id": "op_7fa2",
        "currency": "NOK", "ours": 50000, "theirs": 123450, "detail": "capture of the console",
        "created_at": NOW - timedelta(hours=5),
    }
    number = given.pop("number", "10412")
    return Line(told=DriftLine(**{**usual, **given}), number=number)


def lines() -> list[Line]:
    bare = {
        "order_id": None, "number": "", "currency": None, "ours": None, "theirs": None,
        "reference": None, "gateway_transaction_id": None,
    }
    return [
        _line(kind, **(bare if kind in ("unreachable", "missing_here") else {}))
        for kind in DRIFTS
    ]


def drift(**given: Any) -> dict[str, Any]:
    usual = {
        "lines": lines(), "view": "", "gateway": "card-eu", "open_drift": len(lines()),
        "said": "The line is closed.", "newest": "",
        "older": "/portal/reconciliation/drift?after=x",
    }
    return usual | given


def closed() -> dict[str, Any]:
    line = _line("fee_differs", status="RESOLVED", note="The new contract holds since Monday.",
                 resolved_by=ANNA, resolved_at=NOW)
    return drift(lines=[line], view="resolved", gateway="", said="")


def resolve(**given: Any) -> dict[str, Any]:
    usual = {"line": _line("fee_differs"), "form": Form(), "back": "/portal/reconciliation/drift"}
    return usual | given


def run(told: Run, **given: Any) -> dict[str, Any]:
    return {"run": told, "lines": lines()[:3], "more": True, "again": False, **given}


def _balances() -> list[Balance]:
    sums = (
        ("card-eu", "NOK", None, "receivable", 1234500), ("card-eu", "NOK", None, "fees", 91230),
        ("card-eu", "NOK", None, "bank", 8723400), ("card-eu", "NOK", None, "authorised", 4450000),
        (LONG, "NOK", None, "receivable", 412300), ("till", "JPY", None, "bank", 98000),
        ("card-eu", "NOK", "nordlys", "payable", -10249130),
        ("card-eu", "NOK", "nordlys", "refunds", 200000),
        (LONG, "NOK", "株式会社サンプル", "payable", -412300),
        ("till", "JPY", "株式会社サンプル", "payable", -98000),
    )
    return [
        Balance(
            gateway=gateway, currency=currency, merchant=merchant, ledger_account=account,
            debit=max(0, held), credit=max(0, -held), balance=held, means=CHART[account],
        )
        for gateway, currency, merchant, account, held in sums
    ]


def ledger(**given: Any) -> dict[str, Any]:
    trial = [
        TrialRow(ledger_account=code, currency=currency, debit=debit, credit=credit)
        for currency in ("NOK", "JPY")
        for code, debit, credit in (
            ("authorised", 14900000, 10450000), ("authorisations", 10450000, 14900000),
            ("receivable", 10661430, 9014630), ("payable", 0, 10661430), ("refunds", 200000, 0),
            ("fees", 91230, 0), ("bank", 8723400, 0),
        )
    ]
    usual = {
        "gateways": gateways_of(_balances()), "merchants": merchants_of(_balances()),
        "trials": trials_of(trial), "as_of": NOW, "outcomes": OUTCOMES,
        "chart": [(ACCOUNTS[code], means) for code, means in CHART.items()],
    }
    return usual | given


def entries(**given: Any) -> dict[str, Any]:
    rows = [
        msgspec.structs.asdict(EntryShape(
            order_id="o", order_number=str(10412 - index), sequence=2, line=index + 1,
            transaction_id="t", kind=kind, debit="receivable", credit="payable",
            gateway="card-eu", merchant=merchant, currency="NOK", amount=123450 + index, at=NOW,
        )) | {"what": what, "gateway_name": "Card eu"}
        for index, (kind, what) in enumerate(ENTRIES.items())
        for merchant in ("nordlys", None)
    ]
    chosen = {"from": "2026-11-01", "to": "2026-11-21", "gateway": "", "merchant": "",
              "account": "fees", "order": ""}
    usual = {
        "entries": rows, "chosen": chosen, "narrowed": True,
        "gateways": [("", "Any gateway"), ("card-eu", "Card eu")],
        "accounts": [("", "Any account"), *ACCOUNTS.items()], "names": ACCOUNTS,
        "oldest": "/portal/ledger/entries", "newer": "/portal/ledger/entries?after=x",
        "export": "/portal/ledger/export?from=2026-11-01&to=2026-11-21",
    }
    return usual | given


def _event(**given: Any) -> WholeEvent:
    usual = {
        "id": "0199c000-0000-7000-8000-00000000cc01", "gateway": "card-eu",
        "event_id": "evt_2c8a", "topic": "payment.captured", "payment_reference": "pay_77a01",
        "our_reference": None, "status": "DONE", "error": None, "order_id": "o", "attempts": 1,
        "received_at": NOW, "settled_at": NOW, "due_at": None,
        "headers": {
            "content-type": "application/json", "user-agent": "a-provider/1 " + "x" * 120,
            "webhook-id": "evt_2c8a", "webhook-signature": "v1,c2VjcmV0", "x-api-key": "k",
        },
        "body": '{"id": "evt_2c8a", "type": "payment.captured", "note": "<script>alert()"}',
    }
    return WholeEvent(**{**usual, **given})


GIVEN_UP = _event(
    status="FAILED", order_id=None, attempts=31, topic="", event_id="e" * 64,
    error="No payment here has these references.",
)


def inbound(**given: Any) -> dict[str, Any]:
    told = [
        _event(), GIVEN_UP, _event(status="RECEIVED", due_at=NOW, settled_at=None, attempts=0),
        _event(status="UNMATCHED", error="No payment here has these references.", order_id=None),
    ]
    usual = {
        "events": [shown(one, {"o": "10412"}) for one in told], "view": "",
        "newest": "", "older": "/portal/inbound?after=x",
    }
    return usual | given


def event(told: WholeEvent, **given: Any) -> dict[str, Any]:
    usual = {
        "event": shown(told, {"o": "10412"}), "sent": shown_headers(told),
        "body": shown_body(told.body), "can_again": False, "form": Form(), "said": "",
    }
    return usual | given


_NONE: dict[str, Any] = {"newest": "", "older": ""}
#: Name, template, context and frame; `shots` makes shots of them.
PAGES = (
    ("reconciliation", "books/reconciliation.html", reconciliation, AT_RUNS),
    (
        "reconciliation-empty", "books/reconciliation.html",
        lambda: reconciliation(cards=[], runs=[], open_drift=0, **_NONE), AT_RUNS,
    ),
    ("run", "books/run.html", lambda: run(_run()), AT_RUNS),
    ("run-running", "books/run.html", lambda: run(RUNNING, lines=[], more=False), AT_RUNS),
    ("run-file", "books/run.html", lambda: run(FILE, again=True, more=False), AT_RUNS),
    ("run-empty", "books/run.html", lambda: run(EMPTY, lines=[], more=False), AT_RUNS),
    ("drift", "books/drift.html", drift, AT_RUNS),
    ("drift-closed", "books/drift.html", closed, AT_RUNS),
    (
        "drift-empty", "books/drift.html",
        lambda: drift(lines=[], open_drift=0, gateway="", said="", **_NONE), AT_RUNS,
    ),
    ("drift-resolve", "books/resolve.html", resolve, AT_RUNS),
    (
        "drift-resolve-refused", "books/resolve.html",
        lambda: resolve(form=Form(errors={"note": "Note: write what you found out."})), AT_RUNS,
    ),
    ("ledger", "books/ledger.html", ledger, AT_LEDGER),
    (
        "ledger-empty", "books/ledger.html",
        lambda: ledger(gateways=[], merchants=[], trials=[]), AT_LEDGER,
    ),
    ("ledger-entries", "books/entries.html", entries, AT_LEDGER),
    (
        "ledger-entries-nothing", "books/entries.html",
        lambda: entries(entries=[], oldest="", newer=""), AT_LEDGER,
    ),
    ("inbound", "books/inbound.html", inbound, AT_INBOUND),
    ("inbound-empty", "books/inbound.html", lambda: inbound(events=[], **_NONE), AT_INBOUND),
    (
        "inbound-event", "books/event.html",
        lambda: event(_event(), said="It is looked into in a moment."), AT_INBOUND,
    ),
    (
        "inbound-event-failed", "books/event.html", lambda: event(GIVEN_UP, can_again=True),
        AT_INBOUND,
    ),
)
