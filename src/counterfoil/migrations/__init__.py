"""The schema, one .sql file a revision, run by Alembic in order.

`setup.migrate` is the only one who starts it. Revisions only ever go forward: expand, migrate,
contract.
"""
