"""The documentation, and the program that writes its reference from the code.

`python -m docs` writes `docs/reference`; everything else here is written by hand.
"""
