"""The life cycles, as data. Code, database triggers, API, portal and docs all read these.

Sources: domain.md §2-§6, rulings 14, 25, 27, 29, 33.
"""

from counterfoil.kernel.machine import Edge, Machine

ORDER = Machine(
    "order",
    born=("NEW", "PROCESSING", "SUSPENDED"),
    brought=("COMPLETED", "CANCELED", "CANCEL_REQUESTED", "FRAUD"),
    edges=(
        Edge("process", ("NEW",), "PROCESSING", "Work begins: by hand, a capture or a parcel."),
        Edge("flag", ("NEW", "PROCESSING", "SUSPENDED"), "FRAUD", "Somebody thinks it is fraud."),
        Edge("suspend", ("PROCESSING", "FRAUD", "NEW"), "SUSPENDED", "Work stops until released."),
        Edge(
            "renew",
            ("FRAUD", "SUSPENDED", "CANCEL_REQUESTED"),
            "NEW",
            "Cleared before anything was captured or shipped.",
        ),
        Edge(
            "resume",
            ("FRAUD", "SUSPENDED", "CANCEL_REQUESTED"),
            "PROCESSING",
            "Cleared; work goes on.",
        ),
        Edge("complete", ("PROCESSING", "NEW"), "COMPLETED", "Every live item has been shipped."),
        Edge(
            "request cancel",
            ("NEW", "PROCESSING", "FRAUD", "SUSPENDED", "COMPLETED"),
            "CANCEL_REQUESTED",
            "A cancellation is asked for or is running.",
        ),
        Edge("restore", ("CANCEL_REQUESTED",), "COMPLETED", "The cancellation did not happen."),
        Edge(
            "cancel",
            ("NEW", "PROCESSING", "FRAUD", "SUSPENDED", "CANCEL_REQUESTED", "COMPLETED"),
            "CANCELED",
            "Money is settled and unshipped goods stay.",
        ),
    ),
    # An order whose goods have all left is resumed and completed at once when its review passes.
    jumps=(
        ("CANCEL_REQUESTED", "FRAUD"),
        ("CANCEL_REQUESTED", "SUSPENDED"),
        ("SUSPENDED", "COMPLETED"),
    ),
)

ITEM = Machine(
    "item",
    born=("PENDING",),
    brought=("READY", "SHIPPED", "DELIVERED", "CANCELED"),
    edges=(
        Edge("prepare", ("PENDING", "BACKORDERED"), "PROCESSING", "Somebody works on it."),
        Edge("confirm", ("PENDING", "PROCESSING"), "READY", "Confirmed for delivery."),
        Edge("put back", ("READY",), "PROCESSING", "Not ready after all."),
        Edge("begin anew", ("READY", "PROCESSING"), "PENDING", "Nobody works on it any more."),
        Edge("backorder", ("PENDING", "PROCESSING", "READY"), "BACKORDERED", "Not in stock."),
        Edge(
            "ship",
            ("PENDING", "PROCESSING", "READY", "COULD_NOT_DELIVER"),
            "SHIPPED",
            "It left the house.",
        ),
        Edge("travel", ("SHIPPED",), "IN_TRANSIT", "The carrier has it."),
        Edge(
            "deliver",
            ("SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER"),
            "DELIVERED",
            "The customer has it.",
        ),
        Edge("fail", ("SHIPPED", "IN_TRANSIT"), "COULD_NOT_DELIVER", "The carrier gave up."),
        Edge(
            "return",
            ("SHIPPED", "IN_TRANSIT", "DELIVERED", "COULD_NOT_DELIVER"),
            "RETURNED",
            "It came back.",
        ),
        Edge(
            "cancel",
            ("PENDING", "PROCESSING", "READY", "BACKORDERED"),
            "CANCELED",
            "It will not be sent.",
        ),
    ),
    # A line shows its least advanced live unit: when the last waiting units are cancelled, it
    # jumps to where the units that left are.
    jumps=(
        ("IN_TRANSIT", "SHIPPED"),
        ("BACKORDERED", "IN_TRANSIT"),
        ("BACKORDERED", "COULD_NOT_DELIVER"),
        ("BACKORDERED", "RETURNED"),
        ("PENDING", "DELIVERED"),
        ("PROCESSING", "DELIVERED"),
        ("READY", "DELIVERED"),
        ("BACKORDERED", "SHIPPED"),
        ("BACKORDERED", "DELIVERED"),
        ("BACKORDERED", "READY"),
        ("PENDING", "RETURNED"),
        ("PROCESSING", "RETURNED"),
        ("READY", "RETURNED"),
        ("PENDING", "IN_TRANSIT"),
        ("PROCESSING", "IN_TRANSIT"),
        ("READY", "IN_TRANSIT"),
        ("PENDING", "COULD_NOT_DELIVER"),
        ("PROCESSING", "COULD_NOT_DELIVER"),
        ("READY", "COULD_NOT_DELIVER"),
    ),
)

BAG = Machine(
    "bag",
    born=("ACCEPTED", "IN_PROGRESS", "SUBMITTED"),
    brought=("COMPLETED", "CANCELED"),
    edges=(
        Edge("submit", ("IN_PROGRESS",), "SUBMITTED", "The shopper placed it."),
        Edge("accept", ("SUBMITTED", "BACKORDERED"), "ACCEPTED", "The merchant will fulfil it."),
        Edge("reject", ("SUBMITTED",), "REJECTED", "The merchant will not."),
        Edge("backorder", ("ACCEPTED",), "BACKORDERED", "The merchant waits for goods."),
        Edge("complete", ("ACCEPTED", "BACKORDERED"), "COMPLETED", "Every live item has left."),
        Edge(
            "cancel",
            ("SUBMITTED", "ACCEPTED", "BACKORDERED", "COMPLETED"),
            "CANCELED",
            "Nothing of it will be sent.",
        ),
    ),
)

PAYMENT = Machine(
    "payment",
    born=("CREATED", "AUTHORIZED", "CAPTURED", "DECLINED"),
    brought=("PARTIALLY_CAPTURED", "VOIDED"),
    edges=(
        Edge("authorise", ("CREATED",), "AUTHORIZED", "The provider holds the money."),
        Edge("decline", ("CREATED",), "DECLINED", "The provider said no."),
        Edge("abandon", ("CREATED",), "ABANDONED", "The shopper did not finish."),
        Edge(
            "capture all",
            ("CREATED", "AUTHORIZED", "PARTIALLY_CAPTURED"),
            "CAPTURED",
            "Nothing stays open and something was taken.",
        ),
        Edge("capture part", ("AUTHORIZED",), "PARTIALLY_CAPTURED", "Some of it was taken."),
        Edge("void", ("AUTHORIZED",), "VOIDED", "All of it was released."),
        Edge("expire", ("AUTHORIZED",), "EXPIRED", "The hold time passed."),
    ),
)

TRANSACTION = Machine(
    "transaction",
    born=("PENDING", "SUCCEEDED"),
    edges=(
        Edge("succeed", ("PENDING", "UNKNOWN"), "SUCCEEDED", "The provider did it."),
        Edge("fail", ("PENDING", "UNKNOWN"), "FAILED", "The provider did not do it."),
        Edge("lose sight", ("PENDING",), "UNKNOWN", "No clear answer: the amount stays reserved."),
    ),
)

REFUND = Machine(
    "refund",
    born=("PROCESSING", "AWAITING_APPROVAL", "COMPLETED", "EXTERNAL"),
    edges=(
        Edge("approve", ("AWAITING_APPROVAL",), "PROCESSING", "A second person agreed."),
        Edge("reject", ("AWAITING_APPROVAL",), "CANCELED", "A second person did not agree."),
        Edge("complete", ("PROCESSING",), "COMPLETED", "The money has left."),
        Edge("complete in part", ("PROCESSING",), "PARTIALLY_COMPLETED", "Some of it has left."),
        Edge("fail", ("PROCESSING",), "FAILED", "The provider did not do it."),
        Edge("withdraw", ("PROCESSING",), "CANCELED", "It was never sent."),
        Edge("bounce", ("COMPLETED", "PARTIALLY_COMPLETED"), "FAILED", "It came back to us."),
        Edge("bounce in part", ("COMPLETED",), "PARTIALLY_COMPLETED", "Some of it came back."),
    ),
    jumps=(("AWAITING_APPROVAL", "COMPLETED"),),
)

SHIPMENT = Machine(
    "shipment",
    born=("OPEN",),
    brought=("SHIPPED", "DELIVERED", "CANCELED"),
    edges=(
        Edge("ship", ("OPEN", "COULD_NOT_DELIVER"), "SHIPPED", "It left the house."),
        Edge("travel", ("SHIPPED",), "IN_TRANSIT", "The carrier has it."),
        Edge(
            "deliver",
            ("SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER"),
            "DELIVERED",
            "The customer has it.",
        ),
        Edge("fail", ("SHIPPED", "IN_TRANSIT"), "COULD_NOT_DELIVER", "The carrier gave up."),
        Edge("return", ("COULD_NOT_DELIVER",), "RETURNED", "It came back."),
        Edge("cancel", ("OPEN",), "CANCELED", "It will not be sent."),
    ),
)

CANCELLATION = Machine(
    "cancellation",
    born=("PROCESSING", "CANCELED"),
    edges=(
        Edge("finish", ("PROCESSING",), "CANCELED", "Everything in the plan is done."),
        Edge("finish in part", ("PROCESSING",), "PARTIALLY_CANCELED", "Some steps failed."),
        Edge("fail", ("PROCESSING",), "FAILED", "No step succeeded."),
    ),
)

LETTER = Machine(
    "letter",
    born=("QUEUED",),
    edges=(
        Edge("send", ("QUEUED", "FAILED"), "SENT", "The mail server took it."),
        Edge("give up", ("QUEUED",), "FAILED", "The mail server refused it for good."),
    ),
)

TASK = Machine(
    "task",
    born=("OPEN",),
    edges=(Edge("do", ("OPEN",), "DONE", "Somebody has seen to it, or it settled by itself."),),
)

DRIFT = Machine(
    "drift_line",
    born=("OPEN",),
    edges=(Edge("resolve", ("OPEN",), "RESOLVED", "Somebody has looked and decided."),),
)

FRAUD_REVIEW = Machine(
    "fraud_review",
    born=("PENDING",),
    edges=(
        Edge("put off", ("PENDING",), "ON_HOLD", "Whoever screens it needs more time."),
        Edge("take up", ("ON_HOLD",), "PENDING", "It is looked at again."),
        Edge("pass", ("PENDING", "ON_HOLD"), "PASSED", "Somebody looked; the order goes on."),
        Edge("fail", ("PENDING", "ON_HOLD"), "FAILED", "It is fraud: the order is cancelled."),
    ),
)

RETURN = Machine(
    "return",
    born=("REQUESTED", "RECEIVED"),
    edges=(
        Edge("approve", ("REQUESTED",), "APPROVED", "The shopper may send it."),
        Edge("reject", ("REQUESTED",), "REJECTED", "It is not taken back."),
        Edge("receive", ("REQUESTED", "APPROVED"), "RECEIVED", "Goods came in."),
        Edge("close", ("RECEIVED", "APPROVED"), "CLOSED", "Nothing more is waited for."),
    ),
)

MACHINES = (
    ORDER,
    ITEM,
    BAG,
    PAYMENT,
    TRANSACTION,
    REFUND,
    SHIPMENT,
    CANCELLATION,
    LETTER,
    TASK,
    DRIFT,
    FRAUD_REVIEW,
    RETURN,
)
