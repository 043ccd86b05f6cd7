"""Where a stranger's address may lead us: to the public internet and nowhere else.

An address that a user typed (a webhook, an import, a logo, a sign-on provider) must not reach the
machine itself or its neighbours. So: https on port 443, no user name in it, a real name or a
plainly written address, resolved once, and every address it resolves to must be public; the
connection then goes to the address that was checked, not to the name. [faults H-10]
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx2
import msgspec

Resolve = Callable[[str, int], Awaitable[list[str]]]

_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*\Z")
_PRINTABLE = re.compile(r"[^\s\x00-\x20\x7f\\]{1,2048}\Z")
_PRIVATE_NAMES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".home.arpa",
    ".lan",
    ".intranet",
)

# Written out, because the standard library's tables differ between releases of Python.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20")
)
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")

# Lookups for strangers have threads of their own: slow ones cannot hold up the gateways'.
_lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="lookup")


class AddressRefused(Exception):
    """The address is not one that we call for somebody else; the sentence says why."""


class Pinned(msgspec.Struct, frozen=True):
    """An address that was checked: what to connect to, and the name to speak to there."""

    url: httpx2.URL
    host: str
    addresses: tuple[str, ...]

    def at(self, address: str) -> httpx2.URL:
        """Say the address with one of the checked hosts in place of the name."""
        return self.url.copy_with(host=address)


async def resolve(host: str, port: int) -> list[str]:
    """Look a name up, once. Raises OSError."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_lookups, find)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_public(address: str) -> bool:
    """Tell whether an address is a unicast host on the public internet.

    Addresses that carry another one inside (IPv4-mapped, IPv4-compatible, 6to4, NAT64) are judged
    by the one inside.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id:
            return False
        inside = _inside(ip)
        if inside is None:
            return ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)
        ip = inside
    return not any(ip in network for network in _NOT_PUBLIC_4)


def _inside(ip: IPv6Address) -> IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip in _COMPATIBLE or ip in _TRANSLATED:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def parse(address: str, *, plain_http: bool = False, ports: frozenset[int]) -> httpx2.URL:
    """Read an address that a user typed, without looking anything up.

    Raises AddressRefused: not readable, not https, with a user name, another port, a host that is
    no public name and no plainly written address.
    """
    if not _PRINTABLE.match(address):
        raise AddressRefused("The address is empty, too long or has characters it cannot have.")
    try:
        url = httpx2.URL(address)
        port = url.port
    except (httpx2.InvalidURL, UnicodeError, ValueError) as wrong:
        raise AddressRefused("The address cannot be read.") from wrong
    if url.scheme != "https" and not (plain_http and url.scheme == "http"):
        raise AddressRefused("The address must begin with https://.")
    if url.userinfo:
        raise AddressRefused("The address must not carry a user name or password.")
    if (port or (443 if url.scheme == "https" else 80)) not in ports:
        raise AddressRefused("The address names a port that is not allowed.")
    host = _host(url)
    try:
        ip_address(host)
    except ValueError:
        if not _NAME.match(host) or ("." + host).endswith(_PRIVATE_NAMES):
            raise AddressRefused("The host is not a public name.") from None
    return url.copy_with(fragment=None)


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii").lower().removesuffix(".").strip("[]")


async def find_host(
    host: str, port: int, *, private: bool = False, find: Resolve = resolve
) -> list[str]:
    """Look up a host that a user typed, and return the addresses to connect to.

    `private` allows networks that are not public, this machine included. Raises AddressRefused,
    OSError (no lookup).
    """
    name = host.lower().removesuffix(".").strip("[]")
    try:
        found = [str(ip_address(name))]
    except ValueError:
        if not (private or _NAME.match(name)) or (
            not private and ("." + name).endswith(_PRIVATE_NAMES)
        ):
            raise AddressRefused("The host is not a public name.") from None
        found = await find(name, port)
    if not found:
        raise OSError("the name has no address")
    if not private and not all(is_public(one) for one in found):
        raise AddressRefused("The host is in a network that is not public.")
    return found


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class Guard(msgspec.Struct, frozen=True):
    """What is allowed for addresses of strangers. `plain_http` is for development only."""

    plain_http: bool = False
    ports: frozenset[int] = frozenset({443})
    resolve: Resolve = resolve

    async def pin(self, address: str) -> Pinned:
        """Check an address and fix where it leads. Raises AddressRefused, OSError (no lookup)."""
        url = parse(address, plain_http=self.plain_http, ports=self.ports)
        host = _host(url)
        try:
            found = [str(ip_address(host))]
        except ValueError:
            found = await self.resolve(host, url.port or (443 if url.scheme == "https" else 80))
        if not found:
            raise OSError("the name has no address")
        if not all(is_public(one) for one in found):
            raise AddressRefused("The address leads to a network that is not public.")
        return Pinned(url, host, tuple(found))
