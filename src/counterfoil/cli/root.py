"""The list of commands, and what happens to their mistakes."""

import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from counterfoil.cli.said import Said, say
from counterfoil.kernel.cluster import ServerFailed
from counterfoil.kernel.problem import Problem
from counterfoil.settings import WrongSetting

_RUN = Group.create_ordered("Run")
_SET_UP = Group.create_ordered("Set up")
_ORDERS = Group.create_ordered("Orders")
_LOOK = Group.create_ordered("Look after")

app = App(
    name="counterfoil",
    help="Order management in which every movement of goods and money leaves its counterfoil.\n\n"
    "Settings come from COUNTERFOIL_… in the environment; an option goes first. Without"
    " COUNTERFOIL_DATABASE_URL the program runs a PostgreSQL of its own in the data folder.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)
_account = App(name="account", help="Accounts: companies that are kept apart.", group=_SET_UP)
_key = App(name="key", help="API keys.", group=_SET_UP)
_mail = App(name="mail", help="The mail server that letters leave through.", group=_SET_UP)
_role = App(name="role", help="What users may do, and up to how much.", group=_SET_UP)
_secrets = App(name="secrets", help="Credentials as they are kept: sealed.", group=_LOOK)
_user = App(name="user", help="People who sign in to the portal.", group=_SET_UP)
_settlement = App(
    name="settlement", help="What payment providers have paid out.", group=_LOOK
)
_import = App(name="import", help="Bring orders in from files.", group=_ORDERS)
for _part in (_account, _key, _mail, _role, _user, _import, _settlement, _secrets):
    app.command(_part)

#: Command, the file and function it is in, where it is listed.
_COMMANDS: tuple[tuple[App, str, str, Group | None], ...] = (
    (app, "up", "up:up", _RUN),
    (app, "serve", "serve:serve", _RUN),
    (app, "work", "serve:work", _RUN),
    (app, "sandbox", "serve:sandbox", _RUN),
    (app, "mailbox", "serve:mailbox", _RUN),
    (app, "migrate", "upkeep:migrate", _SET_UP),
    (app, "doctor", "upkeep:doctor", _LOOK),
    (app, "openapi", "upkeep:openapi", _LOOK),
    (app, "reconcile", "reconciling:reconcile", _LOOK),
    (_settlement, "import", "reconciling:import_settlement", None),
    (_account, "create", "people:create_account", None),
    (_account, "list", "people:list_accounts", None),
    (_key, "create", "people:create_key", None),
    (_mail, "set", "mailing:set_mail", None),
    (_mail, "test", "mailing:try_mail", None),
    (_mail, "remove", "mailing:remove_mail", None),
    (_role, "list", "roles:list_roles", None),
    (_role, "create", "roles:create_role", None),
    (_role, "change", "roles:change_role", None),
    (_user, "add", "people:add_user", None),
    (_secrets, "rotate", "upkeep:rotate_secrets", None),
    (_import, "orders", "importing:orders", None),
)
for _app, _name, _place, _group in _COMMANDS:
    _app.command(f"counterfoil.cli.{_place}", name=_name, group=_group)


def run(words: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; mistakes become sentences."""
    try:
        code = app(words, exit_on_error=False, print_error=True)
    except CycloptsError:
        return 2  # it has been said, with the usage
    except Said as said:
        say(str(said))
        return said.code
    except WrongSetting as wrong:
        say(str(wrong))
        return 2
    except Problem as problem:
        say(problem.detail)
        for error in problem.errors:
            say(f"  {error.get('pointer', '')}: {error.get('detail', '')}")
        return 1
    except ServerFailed as failed:
        say(str(failed))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # nobody listens any more
        return 141
    except Exception as mistake:  # noqa: BLE001 - the last line: people get a sentence
        return _our_mistake(mistake)
    return int(code or 0)


def _our_mistake(mistake: Exception) -> int:
    place = traceback.extract_tb(mistake.__traceback__)[-1]
    say(
        f"Something went wrong on our side: {type(mistake).__name__}: {mistake}"
        f" ({place.filename}, line {place.lineno})"
    )
    return 70
