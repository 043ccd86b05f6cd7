"""Rows that are due: claimed, worked on, finished or put off; one file a kind.

`settle` asks providers about movements of money, for the door at once and for the worker later;
`expiry` ends authorisations, `letters` sends mail. `lanes` claims and works off, `loop` keeps all
of it going in one process, and any number of processes may run it.
"""
