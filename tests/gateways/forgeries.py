"""Calls that nobody must believe, made from a good one: thirty ways and more. [faults W-1, W-3]"""

from collections.abc import Callable

import msgspec


class Ring(msgspec.Struct, frozen=True):
    """A call that a provider made to us; header names in lower case."""

    headers: dict[str, str]
    query: dict[str, str]
    body: bytes


#: Makes a forgery of a good call, given the names of the headers that prove it; None where the
#: provider has no such header.
Forge = Callable[[Ring, dict[str, str]], Ring | None]
FORGERIES: dict[str, Forge] = {}


def _header(name: str, role: str, change: Callable[[str], str]) -> None:
    def forge(ring: Ring, names: dict[str, str]) -> Ring | None:
        if role not in names:
            return None
        headers = {**ring.headers, names[role]: change(ring.headers[names[role]])}
        return msgspec.structs.replace(ring, headers=headers)

    FORGERIES[f"{role} {name}"] = forge


def _missing(role: str) -> None:
    def forge(ring: Ring, names: dict[str, str]) -> Ring | None:
        if role not in names:
            return None
        headers = {name: text for name, text in ring.headers.items() if name != names[role]}
        return msgspec.structs.replace(ring, headers=headers)

    FORGERIES[f"{role} missing"] = forge


def _body(name: str, change: Callable[[bytes], bytes]) -> None:
    FORGERIES[f"body {name}"] = lambda ring, _: msgspec.structs.replace(
        ring, body=change(ring.body)
    )


FORGERIES["nothing at all"] = lambda _, __: Ring({}, {}, b"")
FORGERIES["no headers"] = lambda ring, _: msgspec.structs.replace(ring, headers={})
for _role in ("signature", "id", "timestamp"):
    _missing(_role)
    _header("empty", _role, lambda _: "")
    _header("blank", _role, lambda _: " ")
    _header("with NUL", _role, lambda text: text[:3] + "\0" + text[4:])
    _header("with a lone surrogate", _role, lambda text: text[:3] + "\udcff" + text[4:])
    _header("not ASCII", _role, lambda text: text[:3] + "ü²" + text[5:])
    _header("endless", _role, lambda text: text * 5_000)
    _header("reversed", _role, lambda text: text[::-1])
    _header("cut", _role, lambda text: text[:-4])
_header("of zeros", "signature", lambda text: text[:6] + "A" * 40 + "=")
_header("of another version", "signature", lambda text: text.replace("v1", "v2"))
_header("of commas", "signature", lambda _: "," * 1_000)
_header("of spaces", "signature", lambda _: " v1 " * 500)
_header("without a version", "signature", lambda text: text.replace("v1", ""))
_header("of None", "signature", lambda _: "None")
_header("in capitals", "signature", str.swapcase)
_header("another", "id", lambda text: text + "0")
_header("negative", "timestamp", lambda text: f"-{text}")
_header("a fraction", "timestamp", lambda text: f"{text}.5")
_header("an exponent", "timestamp", lambda _: "1e400")
_header("no number", "timestamp", lambda _: "NaN")
_header("a second later", "timestamp", lambda text: str(int(text) + 1))
_header("of the year 0", "timestamp", lambda _: "0")
_body("empty", lambda _: b"")
_body("cut", lambda body: body[:-1])
_body("longer", lambda body: body + b"\n")
_body("not UTF-8", lambda body: b"\xff\xfe" + body)
_body("with one bit changed", lambda body: body[:9] + bytes([body[9] ^ 1]) + body[10:])
_body("nested without end", lambda _: b"[" * 60_000)
_body("with a number that is none", lambda _: b'{"id": NaN, "type": 1e400}')
_body("another's", lambda body: body.replace(b"pay_", b"pay-").replace(b"pi_", b"pi-") + b" ")
