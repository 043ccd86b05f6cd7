"""The flows that are killed: what a process does, from which state, and what it must lead to."""

from typing import Any

from tests.crash.edited import Edited
from tests.crash.flow import PLACE, WAIT, Before, Flow
from tests.crash.goods import SETTLES, HasLeft, Leaving
from tests.crash.outside import Approved, Heard, PaidOut, Synced
from tests.crash.parts import PartCanceled
from tests.crash.returned import CameBack, Exchanged, Returned
from tests.work.shop import CANCEL, CAPTURE, PAY, REFUND, RENEW, VOID

DAY_S = 24 * 3600
A = {"authorized": 5000}
TAKEN = A | {"captured": 5000}
PART = {"amount": 2000}
HALF = {"captured": 2500, "open": 2500}
BACK = {"amount": 700, "reference": "R-1"}
TOOK_PART: Before = ((CAPTURE, PART),)
TOOK_ALL: Before = ((CAPTURE, {}),)
#: Paid by two payments, and most of both given back under one reference.
TWICE: dict[str, Any] = {
    "placed": {"amount": 3000, "flow": "payment"},
    "before": ((PAY, {"gateway": "card", "amount": 2000, "flow": "payment"}),),
    "wanted": {"amount": 4000, "reference": "R-2"},
}

DOORS = {
    "place": Flow(PLACE, A | {"open": 5000}, "NEW"),
    "place and take": Flow(PLACE, TAKEN, "NEW", placed={"flow": "payment"}),
    "capture": Flow(CAPTURE, TAKEN),
    "capture part": Flow(CAPTURE, A | {"captured": 2000, "open": 3000}, wanted=PART),
    "capture the rest": Flow(CAPTURE, TAKEN, before=TOOK_PART, wanted={"amount": 3000}),
    "void": Flow(VOID, A | {"voided": 5000}, "CANCELED"),
    "refund": Flow(REFUND, TAKEN | {"refunded": 700}, before=TOOK_ALL, wanted=BACK),
    "refund through two payments": Flow(REFUND, TAKEN | {"refunded": 4000}, "NEW", **TWICE),
    "cancel": Flow(CANCEL, A | {"captured": 2000, "voided": 3000, "refunded": 2000}, "CANCELED",
                   before=TOOK_PART),
    "cancel a bag": PartCanceled(
        leads_to=A | {"captured": 2000, "voided": 1500, "refunded": 1000, "open": 1500}),
    "cancel lines of two bags": PartCanceled(
        bags=3, lines=2,
        leads_to=A | {"captured": 2000, "voided": 1999, "refunded": 1333, "open": 1001}),
    "edit and give back": Edited(leads_to=TAKEN | {"refunded": 2500}, passes=SETTLES),
    "edit and release": Edited(leads_to=A | {"captured": 2500, "voided": 2500}, taken=2500,
                               passes=SETTLES),
    "return and give back": Returned(leads_to=TAKEN | {"refunded": 4800}, passes=SETTLES),
    "take in two parts": Returned(
        leads_to=TAKEN | {"refunded": 4800}, parts=(1, 1), passes=SETTLES),
    "exchange": Exchanged(leads_to=TAKEN, passes=frozenset({"book.commit", "book.committed"})),
    "acknowledge": Flow("acknowledge", A | {"open": 5000}, "NEW"),
    "pay the rest": Flow(PAY, A | {"open": 5000}, "NEW", placed={"amount": 2000}),
    "ship and take": Leaving("ship", A | HALF, passes=SETTLES),
    "approve a refund": Approved("approve", TAKEN | {"refunded": 700}, before=TOOK_ALL),
    "sync payments": Synced("sync", TAKEN | {"refunded": 700}, passes=frozenset({"book.commit"}),
                            console=(("capture", 5000), ("refund", 700))),
    "import a settlement": PaidOut("pay out", TAKEN, before=TOOK_ALL,
                                   passes=frozenset({"settlement.noted"})),
}
"""What a door does, and dies of."""

WORKERS = {
    "settle what was not sent": Flow(CAPTURE, TAKEN, died="settle.before_call"),
    "settle what was not heard": Flow(CAPTURE, TAKEN, died="settle.after_call"),
    "send again what was turned away": Flow(CAPTURE, TAKEN, fault="429"),
    "ask about an unknown refund": Flow(
        REFUND, TAKEN | {"refunded": 700}, before=TOOK_ALL, wanted=BACK, fault="5xx_after_effect"),
    "send again what the provider never saw": Flow(
        VOID, A | {"voided": 5000}, "CANCELED", fault="5xx_before"),
    "go on with half a refund": Flow(
        REFUND, TAKEN | {"refunded": 4000}, "NEW", died="settle.booked", there=2, **TWICE),
    "release what was renewed": Flow(
        RENEW, {"authorized": 10_000, "voided": 5000, "open": 5000}, "NEW",
        died="settle.after_call"),
    "take for what has left": HasLeft(WAIT, A | HALF),
    "give back for what came in": CameBack(command=WAIT, leads_to=TAKEN | {"refunded": 4800}),
    "go on cancelling": Flow(
        CANCEL, A | {"captured": 2000, "voided": 3000, "refunded": 2000}, "CANCELED",
        before=TOOK_PART, died="settle.intent"),
    "go on cancelling a bag": PartCanceled(
        leads_to=A | {"captured": 2000, "voided": 1500, "refunded": 1000, "open": 1500},
        died="settle.intent"),
    "follow the provider's calls": Heard(
        leads_to=TAKEN | {"refunded": 700}, console=(("capture", 5000), ("refund", 700))),
    "expire": Flow(WAIT, A | {"captured": 2000, "expired": 3000}, before=TOOK_PART,
                   steps_s=(8 * DAY_S, 70, 70)),
}
"""What a worker finds, and dies of."""

FLOWS = DOORS | WORKERS
