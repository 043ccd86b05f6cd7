"""Import runs: an import that is written down while it goes on, for people and for a second try."""

from collections.abc import Iterable

from counterfoil.kernel.db import Connection, Pool
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.transfer.booking import Fault
from counterfoil.transfer.importing import Into, Tally, Tell, import_orders
from counterfoil.transfer.line import Line

FAULTS_KEPT_MAX = 100
_BEGIN = """with found as (select id from import_runs where account_id = $1 and digest = $2
    order by started_at limit 1),
  again as (update import_runs set status = 'RUNNING', lines_seen = 0, created = 0, skipped = 0,
      failed = 0, errors = '[]', started_at = cf_now(), finished_at = null
    where account_id = $1 and id = (select id from found) returning id),
  new as (insert into import_runs (account_id, id, source, digest, status, started_at)
    select $1, $3, $4, $2, 'RUNNING', cf_now() where not exists (select from found) returning id)
  select id::text from again union all select id::text from new"""
_NOTE = """update import_runs set lines_seen = $3, created = $4, skipped = $5, failed = $6,
    errors = $7::text::jsonb where account_id = $1 and id = $2"""
_END = """with ended as (update import_runs set status = $3, finished_at = cf_now()
    where account_id = $1 and id = $2 returning *)
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $4, 'import.' || lower(status), id::text, jsonb_build_object('source', source,
      'digest', digest, 'lines', lines_seen, 'created', created, 'skipped', skipped,
      'failed', failed), $5::text::jsonb, finished_at from ended"""


async def run_import(
    pool: Pool, lines: Iterable[Line], into: Into, *, source: str, digest: str, tell: Tell
) -> Tally:
    """Import orders and keep a row of how far it is; the same content again is the same run.

    `source` is what people call it, `digest` names its content. What was found wrong is kept up to
    a hundred faults. Raises what `import_orders` raises; the row then says FAILED. [I-1]
    """
    actor, kept = into.actor, list[Fault]()
    async with pool.connection(actor.account_id) as connection:
        run = await _begin(connection, source, digest)

    async def note(tally: Tally, faults: list[Fault]) -> None:
        kept.extend(faults[: FAULTS_KEPT_MAX - len(kept)])
        async with pool.connection(actor.account_id) as connection:
            await _note(connection, run, tally, kept)
        await tell(tally, faults)

    try:
        tally = await import_orders(pool, lines, into, tell=note)
    except BaseException:
        async with pool.connection(actor.account_id) as connection:
            await _end(connection, actor, run, "FAILED")
        raise
    async with pool.connection(actor.account_id) as connection:
        await _end(connection, actor, run, "COMPLETED")
    return tally


async def _begin(connection: Connection, source: str, digest: str) -> str:
    return str(await connection.value(_BEGIN, connection.account, digest, new_id(), source))


async def _note(connection: Connection, run: str, tally: Tally, faults: list[Fault]) -> None:
    await connection.rows(
        _NOTE,
        connection.account,
        run,
        tally.lines,
        tally.created,
        tally.skipped,
        tally.failed,
        to_json(faults),
    )


async def _end(connection: Connection, actor: Actor, run: str, status: str) -> None:
    await connection.rows(_END, connection.account, run, status, new_id(), to_json(actor.told()))
