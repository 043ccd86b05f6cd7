"""What keeps a command from doing its work, in a sentence."""

import sys


class Said(Exception):
    """Ends a command with a sentence; `code` is its exit code. 2: it was asked for wrongly."""

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def say(sentence: str) -> None:
    """Tell people something beside the result, on standard error."""
    print(sentence, file=sys.stderr, flush=True)
