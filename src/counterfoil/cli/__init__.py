"""The commands: what people type.

`root` lists them; each is a function in a file beside it, imported when it is called, so that
`--help` is quick. A command opens the installation (settings, database), calls what the doors call
too, and prints. What goes wrong is said in a sentence, with an exit code: 1 something is wrong,
2 it was asked for wrongly.
"""


def main() -> int:
    """Run the command that was typed."""
    from counterfoil.cli.root import run

    return run()
