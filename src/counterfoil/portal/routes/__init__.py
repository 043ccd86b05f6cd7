"""The portal's addresses: one file for what belongs together, each handler a few lines.

A handler begins a visit, reads or runs a command, and renders; what may be done is the core's.
"""
