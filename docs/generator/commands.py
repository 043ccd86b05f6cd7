"""Commands: what `counterfoil --help` says, on one page."""

import re

from counterfoil.cli.root import app
from docs.generator.markdown import page

#: What cyclopts writes beside an option and the program does not take.
_NEGATIVE = re.compile(r", --(?:empty|no)-[\w-]+(?=[`,])")


def commands_page() -> str:
    """Write the page of all commands."""
    told = app.generate_docs(output_format="markdown", recursive=True)
    _, _, rest = told.partition("\n## counterfoil ")
    return page(
        "Commands",
        """
        `counterfoil --help` lists the commands, `counterfoil COMMAND --help` tells about one. In a
        clone of the repository the program is `.venv/bin/counterfoil`. A command ends with 0 when
        it did its work, 1 when something is wrong, 2 when it was asked for wrongly.

        Options go before the [settings](settings.md) of the environment.
        """,
        f"## counterfoil {_NEGATIVE.sub('', rest)}".strip(),
    )
