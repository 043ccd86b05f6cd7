"""What is printed: packing slips, as a page for a browser and as a PDF.

`slip` says what stands on a slip, in words that are ready to be read; `bars` draws the order's
number for scanners; `pdf` sets the same words on paper, with letters for every script.
"""
