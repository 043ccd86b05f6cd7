"""The verbs: what can happen to an order, one file each, pure.

An action looks into a folder and returns a Change, or raises a Problem and nothing happens. The
list of files is the list of use cases.
"""
