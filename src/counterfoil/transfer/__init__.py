"""Files in and out: bytes become orders or line errors, orders become files.

`read.read_orders` reads NDJSON and the order export of Shopify's admin alike, `history` says what
an order brought along may have lived through, `demo` makes a believable account out of a seed.
Nothing here knows the database: the import in `work` and the API's bulk take it from there.
"""
