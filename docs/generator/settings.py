"""Settings: every variable of the environment that the program reads."""

import types
import typing

import msgspec

from counterfoil.settings import PREFIX, Settings
from docs.generator.markdown import code, page, table

#: Group, and what each setting of it does. Every setting has its sentence.
_SAYS = {
    "Database": {
        "database_url": "The database, as the application's role. Without it and without"
        " `COUNTERFOIL_OWNER_URL` the program runs a PostgreSQL of its own in the data folder.",
        "owner_url": "The database, as the owner of the schema; migrations run as this role.",
        "data_dir": "The folder for everything that is kept outside the database: our own"
        " PostgreSQL, the key that seals secrets, logs of `counterfoil up`.",
        "postgres_version": "Which of the PostgreSQL versions that we carry is started: 18 or 16.",
        "pool_size": "Connections of one process at most.",
    },
    "Serving": {
        "host": "The address to listen on.",
        "port": "The port to listen on.",
        "workers": "Processes that answer requests.",
        "public_url": "The address under which the world reaches this installation, such as"
        " `https://oms.example.com`: for links in letters, and for the addresses that providers"
        " call.",
        "behind_https": "Set it when a proxy in front speaks https: cookies are then sent over"
        " https alone, as browsers demand for them anywhere but on this machine.",
        "log_level": "`debug`, `info`, `warning` or `error`.",
    },
    "Secrets and mail": {
        "secret_key": "32 bytes in base64 that seal the credentials of gateways; several with"
        " commas between, the newest first, while keys are changed. Needed with a database of your"
        " own; otherwise one is made in the data folder.",
        "smtp_url": "The mail server, as `smtp://user:password@host:587`. Without it letters wait.",
        "mail_from": "The sender of letters, where an account has no mail server of its own.",
        "mail_private": "Lets accounts name mail servers in networks that are not public, on any"
        " port, this machine included. Without it only public ones on ports 25, 465, 587 and 2525.",
    },
    "Money and work": {
        "lease_s": "How long a process may work on a row before another may take it over. More"
        " than the deadline below.",
        "provider_deadline_s": "How long one call to a provider may take; then its outcome is"
        " unknown.",
        "propagation_s": "How long a provider may not know yet what it did. Only when it denies"
        " a movement twice, this far apart, is the movement sent again.",
        "number_block": "How many order numbers a process takes at once. 1 counts without gaps, at"
        " one statement more for each order.",
        "reconcile_hour": "At which hour of the day, in UTC, every gateway is compared with our"
        " book: 0 to 23.",
    },
    "Access": {
        "credential_cache_s": "How long a key or session is remembered; a revoked one may work for"
        " this long.",
        "session_idle_s": "After how long without a click people sign in again.",
        "session_max_s": "After how long people sign in again in any case.",
    },
    "Tests only": {
        "testing": "Allows what tests need and nobody else should have.",
        "failpoint": "Where the process ends on purpose.",
    },
}


def settings_page() -> str:
    """Write the page of all settings."""
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    told = [name for group in _SAYS.values() for name in group]
    missing, stale = set(fields) - set(told), set(told) - set(fields)
    assert not missing | stale, f"docs/generator/settings.py: tell {missing}, forget {stale}"
    return page(
        "Settings",
        f"""
        Settings come from the environment, as `{PREFIX}` and the name in capitals. Options of a
        command go first; an empty variable counts as not set; a `{PREFIX}` variable that nobody
        knows, or a value that cannot be right, ends the program with a sentence. Names ending in
        `_S` are whole seconds.
        """,
        *(
            f"## {group}\n\n"
            + table(
                ["variable", "kind", "default", "what it does"],
                ([_variable(n), _kind(fields[n].type), _default(fields[n]), says]
                 for n, says in names.items()),
            )
            for group, names in _SAYS.items()
        ),
    )


def _variable(name: str) -> str:
    return code(f"{PREFIX}{name.upper()}")


def _kind(declared: object) -> str:
    kinds = [
        kind for kind in typing.get_args(declared) or (declared,) if kind is not types.NoneType
    ]
    words = {"str": "text", "int": "number", "bool": "true or false", "Path": "folder"}
    return words[typing.cast("type", kinds[0]).__name__]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is None:
        return "not set"
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return code(shown)
