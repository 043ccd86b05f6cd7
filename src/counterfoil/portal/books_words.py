"""The words of the books: runs, drift, accounts, entries, and what providers told us.

Each kind and status in one table, with tone and icon. [design guide 4]
"""

from counterfoil.portal.words import Word

RUN_KINDS = {
    "nightly": "Nightly comparison",
    "manual": "Comparison, asked for",
    "settlement": "Settlement file",
}
RUNNING = Word("progress", "progress", "Running")
AGREES = Word("success", "circle-check", "Agrees")
DIFFERS = Word("warning", "alert-triangle", "Differs")
NOT_WHOLE = Word("warning", "circle-half-2", "Not complete")
BROKEN_OFF = Word("danger", "circle-x", "Broken off")
NOTHING = Word("neutral", "circle-dashed", "Nothing to compare")

DRIFT = {
    "beyond_our_limits": Word("danger", "alert-triangle", "More than we allowed"),
    "amount_differs": Word("danger", "alert-triangle", "The amounts differ"),
    "fee_differs": Word("warning", "coin", "The fee differs"),
    "missing_there": Word("danger", "help-circle", "Not at the provider"),
    "missing_here": Word("danger", "help-circle", "Not in our book"),
    "currency_differs": Word("danger", "cash-off", "The currencies differ"),
    "unreachable": Word("warning", "clock-x", "The provider was silent"),
    "paid_out_twice": Word("warning", "receipt-refund", "Paid out twice"),
}
#: What closing a line does, where it does more than closing.
CLOSING = {
    "fee_differs": "Closing the line accepts the fee. Send the same file again to book it.",
    "beyond_our_limits": "Closing the line does not decide about the payment: do that on the"
    " order's page.",
    "amount_differs": "Closing the line does not decide about the payment: do that on the"
    " order's page.",
}

INBOUND = {
    "RECEIVED": Word("progress", "hourglass", "Waiting"),
    "UNMATCHED": Word("warning", "help-circle", "Belongs to nobody yet"),
    "DONE": Word("success", "circle-check", "Looked into"),
    "FAILED": Word("danger", "circle-x", "Given up"),
}

ACCOUNTS = {
    "authorised": "Authorised",
    "authorisations": "Authorisations",
    "receivable": "Receivable",
    "payable": "Payable",
    "refunds": "Refunds",
    "fees": "Fees",
    "bank": "Bank",
}
ENTRIES = {
    "authorised": "A gateway holds money",
    "drawn": "A hold was used",
    "released": "A hold was released",
    "captured": "Captured",
    "refunded": "Refunded",
    "reversed": "A refund came back",
    "fee": "A gateway’s fee",
    "paid_out": "Paid out",
}


def unknown(text: str) -> Word:
    """Show what nobody listed as itself, in grey."""
    return Word("neutral", "help-circle", text.replace("_", " ").capitalize())
