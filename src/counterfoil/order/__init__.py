"""The nouns: order, bag, item, payment, transaction, refund, shipment, hold, note and their rules.

A folder is an order with everything that hangs on it; a draft collects what an action changes in
it; a change is what the book writes. Everything here is frozen and pure: no database, no HTTP,
no clock.
"""
