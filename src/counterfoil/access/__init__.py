"""Who may do what: rights and roles, API keys, users who sign in, their sessions.

Only hashes of secrets are stored. Every credential begins with its account, so no look-up crosses
accounts; `sign_in` is the one function in the database that may. Authentication answers with an
`Actor`, remembered for some seconds.
"""
