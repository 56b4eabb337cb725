"""The whole behaviour on one screen: event to handlers, job to function, constraint to error, the fields of queries."""

from deskbell.accounts.errors import CONSTRAINT_ERRORS as ACCOUNT_ERRORS
from deskbell.accounts.events import AgentDemoted, PasswordChanged, UserDeactivated
from deskbell.accounts.login import remove_expired_sessions
from deskbell.accounts.subscribers import log_out_everywhere
from deskbell.kernel.errors import ConstraintErrors
from deskbell.kernel.events import Handlers
from deskbell.kernel.fields import Fields
from deskbell.kernel.jobs import UPKEEP, Jobs, JobSpec
from deskbell.kernel.upkeep import forget_answers, make_partitions, sweep_storage
from deskbell.mail.jobs import FILE_MESSAGE, file_message, file_received
from deskbell.search.errors import CONSTRAINT_ERRORS as SEARCH_ERRORS
from deskbell.search.jobs import INDEX_DOCUMENTS, index_documents, weigh_all_words
from deskbell.tickets.errors import CONSTRAINT_ERRORS as TICKET_ERRORS
from deskbell.tickets.fields import FIELDS as TICKET_FIELDS
from deskbell.tickets.subscribers import release_tickets

HANDLERS: Handlers = {
    AgentDemoted: (release_tickets,),
    UserDeactivated: (log_out_everywhere, release_tickets),
    PasswordChanged: (log_out_everywhere,),
}

JOBS: Jobs = {
    **UPKEEP,
    "accounts.remove_expired_sessions": JobSpec(remove_expired_sessions, cron="17 3 * * *"),
    "kernel.forget_answers": JobSpec(forget_answers, cron="27 * * * *"),
    "kernel.make_partitions": JobSpec(make_partitions, cron="37 2 * * *"),
    "kernel.sweep_storage": JobSpec(sweep_storage, cron="47 4 * * *"),
    FILE_MESSAGE: JobSpec(file_message),
    "mail.file_received": JobSpec(file_received, cron="* * * * *"),
    INDEX_DOCUMENTS: JobSpec(index_documents),
    "search.weigh_words": JobSpec(weigh_all_words, cron="7 * * * *"),
}

CONSTRAINT_ERRORS: ConstraintErrors = {**ACCOUNT_ERRORS, **TICKET_ERRORS, **SEARCH_ERRORS}

FIELDS = Fields.merged(TICKET_FIELDS)
