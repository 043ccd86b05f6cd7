"""Gateways: which there are and how they do, connecting one, changing it, disabling it.

Every page works without script; each form is sent to an address of its own and comes back as the
page, with what was typed, where it is refused. Credentials are typed and never shown again.
"""

from litestar import Response, get, post

from counterfoil.book.answered import held_at
from counterfoil.gateways.asked import kinds
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.gateway_forms import (
    read_secrets_form,
    read_settings_form,
    secret_fields,
    setting_fields,
    tell_refusal,
)
from counterfoil.portal.gateway_view import (
    kind_cards,
    kind_name,
    read_cards,
    read_view,
    store_choices,
)
from counterfoil.portal.reading import gateway_name
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.gateways import GatewayChange, NewGateway, find_gateway
from counterfoil.setup.stores import StoreChange, change_store, list_stores
from counterfoil.work.connecting import Tested, connect, reconnect, try_out

RIGHT, HERE = "gateways.manage", "gateways"
SAVED = {
    "new": "Connected. Test the connection before an order comes.",
    "settings": "Settings saved.",
    "credentials": "Credentials replaced. Test the connection.",
    "defaults": "Saved.",
    "enabled": "Enabled: new orders can be paid here.",
    "disabled": "Disabled: no new order can be paid here.",
}


async def _begin(request: Asking) -> Visit:
    """Begin a visit of somebody who may see every store: a gateway may take money for any."""
    visit = await Visit.begin(request, RIGHT, here=HERE)
    visit.actor.require_whole_account()
    return visit


@get("/gateways")
async def gateways_page(request: Asking) -> Response[bytes]:
    """List the gateways: how each did in the last hour, what it can do, whose default it is."""
    visit = await _begin(request)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        cards = await read_cards(connection)
    return visit.page("gateways/list.html", cards=cards)


@get("/gateways/{code:str}")
async def gateway_page(request: Asking, code: str) -> Response[bytes]:
    """Show a gateway with everything that may be changed of it."""
    visit = await _begin(request)
    return await _show(visit, code, said=SAVED.get(request.query_params.get("saved", ""), ""))


@get("/gateway-kinds")
async def kinds_page(request: Asking) -> Response[bytes]:
    """Ask which kind of gateway is to be connected."""
    visit = await _begin(request)
    return visit.page("gateways/kinds.html", kinds=kind_cards(kinds()))


@get("/gateway-kinds/{kind:str}")
async def new_page(request: Asking, kind: str) -> Response[bytes]:
    """Ask what it takes to connect a gateway of a kind."""
    return await _show_new(await _begin(request), _known(kind), Form())


@post("/gateway-kinds/{kind:str}", status_code=200)
async def connect_now(request: Asking, kind: str) -> Response[bytes]:
    """Connect a gateway, once however often the form is sent."""
    visit = await _begin(request)
    form = Form(values={name: visit.typed(name, 64) for name in ("code", "store")})
    settings = read_settings_form(_known(kind), visit.typed, form)
    secrets = read_secrets_form(kind, visit.typed, form)
    if not form.values["code"]:
        form.errors = {"code": "Code: fill this in.", **form.errors}
    if form.refused:
        return await _show_new(visit, kind, form)
    new = NewGateway(
        code=form.values["code"],
        kind=kind,  # type: ignore[arg-type]  # create_gateway checks it
        store=form.values["store"] or None,
        settings=settings,
        credentials=secrets or None,
    )

    async def make(connection: Connection) -> None:
        await connect(connection, visit.actor, new, visit.works.ring)

    try:
        await do_once(visit, make)
    except Problem as problem:
        _tell(kind, problem, form)
        return await _show_new(visit, kind, form)
    return respond.go(f"/portal/gateways/{new.code}?saved=new")


@post("/gateways/{code:str}/settings", status_code=200)
async def save_settings(request: Asking, code: str) -> Response[bytes]:
    """Save a gateway's settings and its store; what its adapter cannot use is refused."""
    visit = await _begin(request)
    kind = await _kind_of(visit, code)
    form = Form(values={"store": visit.typed("store", 64)})
    settings = read_settings_form(kind, visit.typed, form)
    change = GatewayChange(settings=settings, store=form.values["store"] or None)
    if not form.refused:
        await _change(visit, code, change, form, kind)
    if form.refused:
        return await _show(visit, code, settings_form=form)
    return respond.go(f"/portal/gateways/{code}?saved=settings")


@post("/gateways/{code:str}/credentials", status_code=200)
async def replace_credentials(request: Asking, code: str) -> Response[bytes]:
    """Replace all credentials of a gateway."""
    visit = await _begin(request)
    kind, form = await _kind_of(visit, code), Form()
    secrets = read_secrets_form(kind, visit.typed, form)
    if not form.refused:
        await _change(visit, code, GatewayChange(credentials=secrets or None), form, kind)
    if form.refused:
        return await _show(visit, code, secrets_form=form)
    return respond.go(f"/portal/gateways/{code}?saved=credentials")


@post("/gateways/{code:str}/defaults", status_code=200)
async def save_defaults(request: Asking, code: str) -> Response[bytes]:
    """Make the gateway the default of the stores that are ticked, and of no other."""
    visit = await _begin(request)
    ticked = {str(one) for one in visit.form.getall("default", [])}

    async def save(connection: Connection) -> None:
        gateway = await find_gateway(connection, code)
        for store in (await list_stores(connection, limit=100)).data:
            is_default, wanted = store.default_gateway == code, store.code in ticked
            if is_default != wanted and gateway.store in (None, store.code):
                change = StoreChange(default_gateway=code if wanted else None)
                await change_store(connection, visit.actor, store.code, change)

    await do_once(visit, save)
    return respond.go(f"/portal/gateways/{code}?saved=defaults")


@post("/gateways/{code:str}/enable", status_code=200)
async def enable(request: Asking, code: str) -> Response[bytes]:
    """Let new orders be paid there again, if it can be opened."""
    visit = await _begin(request)
    form = Form()
    await _change(visit, code, GatewayChange(enabled=True), form, await _kind_of(visit, code))
    if form.refused:
        return await _show(visit, code, refused=form)
    return respond.go(f"/portal/gateways/{code}?saved=enabled")


@get("/gateways/{code:str}/disable")
async def ask_disable(request: Asking, code: str) -> Response[bytes]:
    """Tell what disabling a gateway leaves, and ask for its code."""
    return await _show_disable(await _begin(request), code, Form())


@post("/gateways/{code:str}/disable", status_code=200)
async def disable(request: Asking, code: str) -> Response[bytes]:
    """Take no new orders' payments there."""
    visit = await _begin(request)
    form = Form(values={"confirm": visit.typed("confirm", 64)})
    if form.values["confirm"] != code:
        form.errors["confirm"] = f"Write {code} to disable it."
        return await _show_disable(visit, code, form)
    await _change(visit, code, GatewayChange(enabled=False), form, "")
    return respond.go(f"/portal/gateways/{code}?saved=disabled")


@post("/gateways/{code:str}/test", status_code=200)
async def test_gateway(request: Asking, code: str) -> Response[bytes]:
    """Make a harmless call, and tell what came of it."""
    visit = await _begin(request)
    try:
        told = await try_out(visit.works.adapters, visit.actor.account_id, code)
    except Problem as problem:
        if problem.status >= 500 or problem.status == 404:
            raise
        told = Tested(ok=False, message=problem.detail, elapsed_ms=0)
    back = f"/portal/gateways/{code}"
    return visit.page("operations/tested.html", code=code, told=told, back=back)


def _known(kind: str) -> str:
    if kind not in kinds():
        raise NotFound("There is no such kind of gateway.")
    return kind


async def _kind_of(visit: Visit, code: str) -> str:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        return (await find_gateway(connection, code)).kind


async def _change(visit: Visit, code: str, change: GatewayChange, form: Form, kind: str) -> None:
    """Change a gateway; what is refused is told in the form."""

    async def make(connection: Connection) -> None:
        await reconnect(connection, visit.actor, code, change, visit.works.ring)

    try:
        await do_once(visit, make)
    except Problem as problem:
        _tell(kind, problem, form)
    visit.works.adapters.forget(visit.actor.account_id, code)


def _tell(kind: str, problem: Problem, form: Form) -> None:
    """Put a refusal to its field. Raises what is no refusal of the form."""
    if problem.code == "code_taken":
        form.errors["code"] = problem.detail
    elif problem.code == "gateway_misconfigured":
        tell_refusal(kind, problem.detail, form)
    elif problem.status == 422:
        for error in problem.errors or [{"detail": problem.detail}]:
            _, _, field = error.get("pointer", "").rpartition("/")
            if field in ("code", "store"):
                form.errors[field] = f"{field.capitalize()}: {error['detail']}"
            else:
                form.notices.append(error["detail"])
    else:
        raise problem


async def _show(
    visit: Visit, code: str, *, said: str = "", refused: Form | None = None, **forms: Form
) -> Response[bytes]:
    """Show the page; `forms` are those of its own that were refused, `refused` any other."""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        view = await read_view(connection, code, visit.works.settings.public_url, **forms)
    status = 422 if forms or refused else 200
    return visit.page(
        "gateways/page.html", status=status, view=view, said=said, refused=refused or Form()
    )


async def _show_new(visit: Visit, kind: str, form: Form) -> Response[bytes]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        stores = list((await list_stores(connection, limit=100)).data)
    return visit.page(
        "gateways/new.html",
        status=422 if form.refused else 200,
        kind=kind,
        called=kind_name(kind),
        fields=setting_fields(kind),
        secrets=secret_fields(kind),
        store_choices=store_choices(stores),
        form=form,
    )


async def _show_disable(visit: Visit, code: str, form: Form) -> Response[bytes]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        gateway = await find_gateway(connection, code)
        held = await held_at(connection, code)
    return visit.page(
        "gateways/disable.html",
        status=422 if form.refused else 200,
        gateway=gateway,
        called=gateway_name(code),
        held=held,
        form=form,
        back=f"/portal/gateways/{code}",
    )


ROUTES = [
    gateways_page,
    gateway_page,
    kinds_page,
    new_page,
    connect_now,
    save_settings,
    replace_credentials,
    save_defaults,
    enable,
    ask_disable,
    disable,
    test_gateway,
]
