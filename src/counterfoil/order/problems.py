"""What the domain refuses. Codes are the contract with clients. [domain.md §10, rulings 42]"""

from counterfoil.kernel.problem import Problem


class AmountInvalid(Problem):
    """Zero or less, or more than is there; both amounts are named."""

    code, status = "amount_invalid", 422
    title = "The amount is not possible."


class InvalidState(Problem):
    """There is nothing to do this to."""

    code, status = "invalid_state", 409
    title = "The order is not in a state for this."


class PartialCaptureNotEnabled(Problem):
    """Only the full amount may be captured here. [Z-18, Z-19]"""

    code, status = "partial_capture_not_enabled", 403
    title = "This store captures in full only."


class AuthorizationExpired(Problem):
    """The hold time passed unacknowledged."""

    code, status = "authorization_expired", 409
    title = "The authorisation has expired."


class RefundReferenceRequired(Problem):
    """A refund needs a reference of its own. [Z-9]"""

    code, status = "refund_reference_required", 422
    title = "A refund needs a reference."


class RefundReferenceConflict(Problem):
    """The reference was used for something else. [Z-9]"""

    code, status = "refund_reference_conflict", 409
    title = "The refund reference was used before, for something else."


class ShipmentUpdateNotAllowed(Problem):
    """The state or a hold keeps goods here; it is named. [U-16, U-17]"""

    code, status = "shipment_update_not_allowed", 409
    title = "Shipping is locked."


class TrackingNotAllowed(Problem):
    """The item is not confirmed for delivery. [U-18]"""

    code, status = "tracking_not_allowed", 409
    title = "A tracking number can be added when every item is Ready or later."


class TrackingNumberTaken(Problem):
    """Another shipment of the order has it. [U-25]"""

    code, status = "tracking_number_taken", 409
    title = "Another shipment of this order has that tracking number."


class OrderOnHold(Problem):
    """A hold blocks it; holds are named."""

    code, status = "order_on_hold", 409
    title = "A hold blocks this."


class RefundWindowClosed(Problem):
    """The store's time for taking back has passed; until when is told. [rulings 42]"""

    code, status = "refund_window_closed", 409
    title = "The time in which goods and money go back has passed."


class HoldHandleTaken(Problem):
    """An open hold has that handle."""

    code, status = "hold_handle_taken", 409
    title = "An open hold of this order has that handle."


class VersionConflict(Problem):
    """Somebody was first; the current version is told."""

    code, status = "version_conflict", 412
    title = "The order has changed since you read it."


class BalanceChanged(Problem):
    """The balance is not what the form showed. Nothing was sent."""

    code, status = "balance_changed", 409
    title = "The amount left changed while this was open. Nothing was sent."


class IdempotencyKeyReused(Problem):
    """Another request used this key."""

    code, status = "idempotency_key_reused", 422
    title = "This Idempotency-Key was used for another request."


class RequestInProgress(Problem):
    """The same request is still running."""

    code, status = "request_in_progress", 409
    title = "The same request is still running."


class GatewayDeclined(Problem):
    """The provider said no; nothing moved."""

    code, status = "gateway_declined", 402
    title = "The payment provider said no. No money moved."


class GatewayUnknown(Problem):
    """The provider did not answer; the amount stays reserved and the worker settles it."""

    code, status = "gateway_unknown", 202
    title = "The payment provider has not answered. The amount stays reserved."


class DuplicateExternalId(Problem):
    """Another order of the channel has that external id; its id is told."""

    code, status = "duplicate_external_id", 409
    title = "Another order has this external id."


class TotalsMismatch(Problem):
    """The totals sent are not what the lines add up to; both are named."""

    code, status = "totals_mismatch", 422
    title = "The totals do not agree with the lines."


class UnknownReference(Problem):
    """Something named in the body does not exist."""

    code, status = "unknown_reference", 422
    title = "The request names something that does not exist."


class SortNotAvailable(Problem):
    """That order of the list cannot be combined with those filters."""

    code, status = "sort_not_available", 422
    title = "This sort takes store, open and date filters only."


class AttentionRequired(Problem):
    """A person has to decide about this payment first."""

    code, status = "attention_required", 409
    title = "A person has to look at this payment first."


class ApprovalRequired(Problem):
    """It gives back more than the actor may give back alone. [faults R-7]"""

    code, status = "approval_required", 409
    title = "A second person has to approve this."
