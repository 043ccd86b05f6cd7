"""Where strangers' addresses may lead us. No name is really looked up. [faults H-10]"""

import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from counterfoil.kernel.address import AddressRefused, Guard, Pinned, is_public
from counterfoil.kernel.http import Http, NotSent, Request
from tests.gateways.raw import Caller, RawServer

NAMES = {
    "hooks.example.com": ["93.184.215.14"],
    "xn--bcher-kva.example": ["93.184.215.14"],
    "six.example.com": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "both.example.com": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "nat64.example.com": ["64:ff9b::5db8:d70e"],
    "loop.example.com": ["127.0.0.1"],
    "mixed.example.com": ["93.184.215.14", "10.0.0.5"],
    "metadata.example.com": ["169.254.169.254"],
    "mapped.example.com": ["::ffff:10.1.2.3"],
    "nothing.example.com": [],
}


async def stub(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError("unknown name")
    return NAMES[host]


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com/a?b=c",
        "https://hooks.example.com:443/",
        "https://HOOKS.example.com./x",
        "https://bücher.example/",
        "https://six.example.com/",
        "https://both.example.com/",
        "https://nat64.example.com/",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "https://[::ffff:93.184.215.14]/",
    ],
)
async def test_public_addresses_are_called(address):
    pinned = await Guard(resolve=stub).pin(address)
    assert all(is_public(one) for one in pinned.addresses)
    assert pinned.at(pinned.addresses[0]).host == pinned.addresses[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user:pass@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:-1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com\r\nhost: x/",
        "https://hooks.example.com/\x00",
        "https://hooks example.com/",
        " https://hooks.example.com/",
        "https://" + "a" * 3000 + ".com/",
        "https://localhost/",
        "https://localhost.localdomain:443/",
        "https://app.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://router/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1.%2e/",
        "https://127%2e0.0.1/",
        "https://１２７.0.0.1/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://192.0.0.8/",
        "https://192.88.99.1/",
        "https://198.18.0.1/",
        "https://203.0.113.9/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[5f00::1]/",
        "https://[fc00::1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[ff02::1]/",
        "https://[100::1]/",
        "https://loop.example.com/",
        "https://mixed.example.com/",
        "https://metadata.example.com/",
        "https://mapped.example.com/",
    ],
)
async def test_other_addresses_are_not(address):
    with pytest.raises(AddressRefused):
        await Guard(resolve=stub).pin(address)
    async with Http(guard=Guard(resolve=stub)) as http:
        with pytest.raises(AddressRefused):
            await http.exchange(Request("GET", address))


@pytest.mark.parametrize("name", ["unknown.example.com", "nothing.example.com"])
async def test_a_name_without_an_address_is_not_sent(name):
    async with Http(guard=Guard(resolve=stub)) as http:
        with pytest.raises(NotSent):
            await http.exchange(Request("GET", f"https://{name}/"))


async def test_development_may_allow_http_but_nothing_else():
    lax = Guard(plain_http=True, ports=frozenset({80, 443}), resolve=stub)
    assert (await lax.pin("http://hooks.example.com/")).addresses == ("93.184.215.14",)
    for address in ("http://127.0.0.1/", "http://hooks.example.com:8080/"):
        with pytest.raises(AddressRefused):
            await lax.pin(address)


async def test_a_name_is_looked_up_once_and_what_was_checked_is_called():
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    async def flip(host: str, port: int) -> list[str]:
        return next(answers)

    pinned = await Guard(resolve=flip).pin("https://hooks.example.com/x")
    assert str(pinned.at(pinned.addresses[0])) == "https://93.184.215.14/x"
    with pytest.raises(AddressRefused):
        await Guard(resolve=flip).pin("https://hooks.example.com/x")


class Loopback(Guard, frozen=True):
    """Checks nothing and leads every name to the test's server, through the same path."""

    port: int = 0

    async def pin(self, address: str) -> Pinned:
        checked = await Guard(resolve=stub).pin(address)
        return Pinned(checked.url.copy_with(port=self.port), checked.host, ("127.0.0.1",))


def certificate(folder, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS settings for `name`, and a client's that trust them."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.fromtimestamp(1_700_000_000, dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


async def test_the_pinned_address_hears_the_name(tmp_path):
    asked: list[str | None] = []

    async def ok(caller: Caller) -> None:
        await caller.answer(302, b"hello", "location: https://127.0.0.1/")

    server_tls, client_tls = certificate(tmp_path, "hooks.example.com")
    server_tls.sni_callback = lambda _connection, name, _context: asked.append(name)
    async with RawServer(ok, server_tls) as server:
        guard = Loopback(port=server.port)
        async with Http(guard=guard, tls=client_tls) as http:
            reply = await http.exchange(Request("POST", "https://hooks.example.com/x", body=b"{}"))
            assert (reply.status, reply.body) == (302, b"hello")
            with pytest.raises(NotSent):
                await http.exchange(Request("POST", "https://six.example.com/x", body=b"{}"))
        assert asked == ["hooks.example.com", "six.example.com"]
        assert len(server.requests) == 1, "the redirect and the wrong name were not followed"
        assert f"host: hooks.example.com:{server.port}".encode() in server.requests[0].lower()


@pytest.mark.parametrize("address", ["nonsense", "1.2.3", "127.0.0.1 ", "::1%lo", "256.1.1.1"])
def test_what_is_no_address_is_not_public(address):
    assert not is_public(address)


def test_public_is_judged_the_same_by_every_python():
    """The standard library calls these global (3.11.7); we do not."""
    traps = ["64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "224.0.0.1", "192.88.99.1"]
    traps += ["192.0.0.8", "5f00::1", "100.64.0.1"]
    assert [one for one in traps if is_public(one)] == []
    assert all(ipaddress.ip_address(one) for one in traps)
