"""The one reader and writer of folders.

`opening` reads a folder in one statement, `commit` writes a change in one, `run` brings an action
between the two and repeats when somebody was first. Lists, feed, search and the invariants read
beside them. Why nothing is lost is in commit.py.
"""
