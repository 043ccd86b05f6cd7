"""Settings: every COUNTERFOIL_ variable, read here and nowhere else."""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "COUNTERFOIL_"
KEY_BYTES = 32
KEY_FILE = "secret.key"
LAST_HOUR = 23


class WrongSetting(Exception):
    """A setting cannot be used; the message names it and says what it should be."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What this process was told. Times are in seconds.

    Each field is the variable COUNTERFOIL_<FIELD>. Without `database_url` the program starts its
    own PostgreSQL in `data_dir`. `owner_url` is whom migrations run as. `propagation_s` is how long
    a provider may not know yet what it did. [rulings 18, 20, 48; faults P-5]
    """

    database_url: str | None = None
    owner_url: str | None = None
    data_dir: Path = Path("var")
    postgres_version: int = 18
    pool_size: int = 10

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    public_url: str | None = None
    behind_https: bool = False

    secret_key: str | None = None
    smtp_url: str | None = None
    mail_from: str = "Counterfoil <counterfoil@localhost>"
    mail_private: bool = False

    lease_s: int = 30
    provider_deadline_s: int = 10
    propagation_s: int = 60
    number_block: int = 20
    reconcile_hour: int = 3
    credential_cache_s: int = 5
    session_idle_s: int = 30 * 60
    session_max_s: int = 12 * 3600
    log_level: str = "info"
    testing: bool = False
    failpoint: str | None = None

    @property
    def embedded(self) -> bool:
        """Whether the program starts a PostgreSQL of its own."""
        return self.database_url is None and self.owner_url is None

    def secret_keys(self) -> list[bytes]:
        """Return the keys that secrets at rest are sealed with, the newest first.

        COUNTERFOIL_SECRET_KEY holds one or more of 32 bytes in base64, with commas between. With
        the program's own database one is made in the data folder at first use, readable for its
        owner alone; that file holds several as lines. Raises WrongSetting.
        """
        if self.secret_key is not None:
            return [_decode(text) for text in self.secret_key.split(",")]
        if not self.embedded:
            raise WrongSetting(
                "COUNTERFOIL_SECRET_KEY is missing. It must be the same for every process of this"
                " installation; `openssl rand -base64 32` makes one. Keep it: without it the"
                " credentials of gateways cannot be read again."
            )
        return [_decode(line) for line in _keys_of_folder(self.data_dir)]


def read_settings(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings from the environment; what a command line gave goes first.

    A variable that is empty counts as not set. Raises WrongSetting, also for COUNTERFOIL_ words
    that no setting has: they are typing errors.
    """
    words = os.environ if environment is None else environment
    fields = {f"{PREFIX}{name.upper()}": name for name in Settings.__struct_fields__}
    found: dict[str, Any] = {}
    for word, text in words.items():
        if not word.startswith(PREFIX) or text == "" or word.startswith(f"{PREFIX}TEST_"):
            continue
        if word not in fields:
            raise WrongSetting(f"There is no setting {word}. There are: {', '.join(fields)}.")
        found[fields[word]] = text
    found |= {name: value for name, value in given.items() if value is not None}
    try:
        settings = msgspec.convert(found, Settings, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as problem:
        said, _, field = str(problem).partition(" - at `$.")
        named = f"{PREFIX}{field.rstrip('`').upper()}"
        raise WrongSetting(f"{named} is wrong: {said}.") from problem
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    least = {"workers": 1, "pool_size": 1, "number_block": 1, "lease_s": 1, "port": 0}
    for name, value in least.items():
        if getattr(settings, name) < value:
            raise WrongSetting(f"{PREFIX}{name.upper()} must be {value} or more.")
    if settings.provider_deadline_s >= settings.lease_s:
        raise WrongSetting(
            "COUNTERFOIL_PROVIDER_DEADLINE_S must be less than COUNTERFOIL_LEASE_S: a call must"
            " have ended before anybody else may take it over."
        )
    if not 0 <= settings.reconcile_hour <= LAST_HOUR:
        raise WrongSetting("COUNTERFOIL_RECONCILE_HOUR must be an hour of the day: 0 to 23.")
    if settings.failpoint is not None and not settings.testing:
        raise WrongSetting("COUNTERFOIL_FAILPOINT ends the process on purpose: for tests only.")
    if settings.secret_key is not None:
        settings.secret_keys()


def _decode_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value).expanduser()
    raise WrongSetting(f"{value!r} is no {kind.__name__}.")


def _decode(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise WrongSetting(
            "COUNTERFOIL_SECRET_KEY must be 32 bytes in base64; `openssl rand -base64 32` makes"
            " one."
        )
    return key


def _keys_of_folder(data_dir: Path) -> list[str]:
    """Read the data folder's keys, the newest first; make one where there is none.

    It is written aside and linked into place, which fails where another process was first: every
    process then reads the same one, whole.
    """
    place = data_dir / KEY_FILE
    if not place.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        aside = data_dir / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        made = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, made.encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(aside, place)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return place.read_text().split() or [""]


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which another program of ours has these very settings."""
    kept = {word: text for word, text in os.environ.items() if not word.startswith(PREFIX)}
    told = {name: getattr(settings, name) for name in Settings.__struct_fields__}
    for name, value in told.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            kept[f"{PREFIX}{name.upper()}"] = text
    return kept


def set_for_children(word: str, text: str) -> None:
    """Set a variable of somebody else's for the processes that this one starts."""
    assert not word.startswith(PREFIX), "our own settings travel as Settings"
    os.environ[word] = text
