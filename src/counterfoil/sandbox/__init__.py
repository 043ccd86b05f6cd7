"""A card gateway to practise on: a process that speaks HTTP, keeps a ledger and fails on demand.

It stands apart: it imports nothing of Counterfoil, and only the command line starts it, by
`serve.main`. `wire` has the shapes, `app` the addresses, `till` the rules, `posting` how money
moves, `ledger` what is kept, `faults` what can go wrong. `levers` are for tests: `courier` tells
of changes as badly as asked, `console` moves money from the side. The process serves its own
reference at `/openapi.json`.
"""
