"""Letters to customers: composed from an order, handed to a mail server.

`compose` makes the text from the templates, `send` speaks SMTP and says whether a failure is for
good, `mailbox` is a small server that keeps what it gets in a folder.
"""
