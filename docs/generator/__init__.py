"""Turns what the code declares into pages of the reference: one file a kind of declaration.

`pages` has the list; each maker returns Markdown and looks at the program alone, never at a page.
"""
