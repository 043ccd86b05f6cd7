"""Files in and out: bytes become orders or line errors, orders become files.

`read.read_orders` reads NDJSON and the order export of Shopify's admin alike, `demo` makes a
believable account out of a seed, `importing` books what either brings. What an order may have
lived through is said in `order.history`. Only `importing` knows the database.
"""
