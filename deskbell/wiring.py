"""The whole behaviour on one screen: which event is heard by whom, which job runs what, which constraint means what."""

from deskbell.accounts.errors import CONSTRAINT_ERRORS as ACCOUNT_ERRORS
from deskbell.accounts.events import PasswordChanged, UserDeactivated
from deskbell.accounts.subscribers import log_out_everywhere
from deskbell.kernel.errors import ConstraintErrors
from deskbell.kernel.events import Handlers
from deskbell.tickets.errors import CONSTRAINT_ERRORS as TICKET_ERRORS
from deskbell.tickets.subscribers import release_tickets

HANDLERS: Handlers = {
    UserDeactivated: (log_out_everywhere, release_tickets),
    PasswordChanged: (log_out_everywhere,),
}

CONSTRAINT_ERRORS: ConstraintErrors = {**ACCOUNT_ERRORS, **TICKET_ERRORS}
