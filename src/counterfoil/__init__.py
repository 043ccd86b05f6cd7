"""Counterfoil: order management in which every movement of goods and money leaves its stub.

`order` holds the nouns, `actions` the verbs, `book` is the one reader and writer; the doors are
`api`, `portal` and `cli`. Read them in that order.
"""
