"""The native REST API: api.md's addresses, each declared once with its right.

A door parses, asks the book, and tells; it decides nothing. `door` has how an address is declared
and served, `openapi` tells the declarations as OpenAPI 3.1, `watch` stands before everything:
request ids, the log, metrics, and a problem for whatever went wrong.
"""
