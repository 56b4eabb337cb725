"""The whole behaviour on one screen: event to handlers, job to function, constraint to error, the fields of queries."""

from deskbell.accounts.errors import CONSTRAINT_ERRORS as ACCOUNT_ERRORS
from deskbell.accounts.events import AgentDemoted, PasswordChanged, UserDeactivated
from deskbell.accounts.links import remove_old_links
from deskbell.accounts.login import remove_expired_sessions
from deskbell.accounts.subscribers import log_out_everywhere
from deskbell.audit.retention import prune_logs
from deskbell.composing.actions import SEND_MESSAGE
from deskbell.composing.fields import FIELDS as COMPOSING_FIELDS
from deskbell.composing.jobs import send_message, send_waiting
from deskbell.composing.seen import FIELDS as SEEN_FIELDS
from deskbell.composing.subscribers import note_mentions
from deskbell.kernel.errors import ConstraintErrors
from deskbell.kernel.events import Handlers
from deskbell.kernel.fields import Fields
from deskbell.kernel.jobs import UPKEEP, Jobs, JobSpec, Remote
from deskbell.kernel.rotation import ROTATE_SECRETS, SETTLE_STORAGE, rotate_secrets, settle_storage
from deskbell.kernel.upkeep import forget_answers, make_partitions, sweep_storage
from deskbell.mail.filing.jobs import file_message
from deskbell.mail.inbound.jobs import FILE_MESSAGE, file_received
from deskbell.mail.mailboxes.errors import CONSTRAINT_ERRORS as MAILBOX_ERRORS
from deskbell.mail.outbound.actions import HAND_OVER
from deskbell.mail.outbound.jobs import SEND_LINK, forget_links, hand_over_waiting, send_link, tell_desk
from deskbell.mail.outbound.sending import hand_over
from deskbell.mail.outbound.subscribers import (
    TELL_DESK,
    tell_answered,
    tell_assigned,
    tell_mentioned,
    tell_of_opened,
    tell_of_reply,
    tell_received,
)
from deskbell.mail.outbound.taking import take_out, write_down
from deskbell.mail.sources.comparing import (
    COMPARE,
    COMPARE_ALL,
    FILL,
    begin_comparison,
    begin_filling,
    compare_all,
    fetch_missing,
    list_folder,
    record_comparison,
    record_finds,
)
from deskbell.search.errors import CONSTRAINT_ERRORS as SEARCH_ERRORS
from deskbell.search.jobs import INDEX_DOCUMENTS, index_documents, weigh_all_words
from deskbell.tickets.errors import CONSTRAINT_ERRORS as TICKET_ERRORS
from deskbell.tickets.events import Mentioned, NoteAdded, Replied, TicketAssigned, TicketOpened
from deskbell.tickets.fields import FIELDS as TICKET_FIELDS
from deskbell.tickets.jobs import KEEP_FIGURES, keep_figures
from deskbell.tickets.subscribers import release_tickets
from deskbell.tickets.sweeping import SWEEP_ATTACHMENTS, sweep_attachments

HANDLERS: Handlers = {
    AgentDemoted: (release_tickets,),
    UserDeactivated: (log_out_everywhere, release_tickets),
    PasswordChanged: (log_out_everywhere,),
    NoteAdded: (note_mentions,),
    Replied: (note_mentions, tell_answered, tell_of_reply),
    Mentioned: (tell_mentioned,),
    TicketAssigned: (tell_assigned,),
    TicketOpened: (tell_received, tell_of_opened),
}

JOBS: Jobs = {
    **UPKEEP,
    "accounts.remove_expired_sessions": JobSpec(remove_expired_sessions, cron="17 3 * * *"),
    SEND_MESSAGE: JobSpec(send_message),
    "composing.send_waiting": JobSpec(send_waiting, cron="* * * * *"),
    "accounts.remove_old_links": JobSpec(remove_old_links, cron="27 3 * * *"),
    "audit.prune_logs": JobSpec(prune_logs, cron="7 2 * * *"),
    "kernel.forget_answers": JobSpec(forget_answers, cron="27 * * * *"),
    "kernel.make_partitions": JobSpec(make_partitions, cron="37 2 * * *"),
    "kernel.sweep_storage": JobSpec(sweep_storage, cron="47 4 * * *"),
    ROTATE_SECRETS: JobSpec(rotate_secrets),
    SETTLE_STORAGE: JobSpec(settle_storage),
    SWEEP_ATTACHMENTS: JobSpec(sweep_attachments, cron="57 4 * * *"),
    FILE_MESSAGE: JobSpec(file_message),
    "mail.file_received": JobSpec(file_received, cron="* * * * *"),
    SEND_LINK: JobSpec(send_link),
    TELL_DESK: JobSpec(tell_desk),
    HAND_OVER: JobSpec(take_out, remote=Remote(hand_over, write_down)),
    "mail.hand_over_waiting": JobSpec(hand_over_waiting, cron="* * * * *"),
    "mail.forget_links": JobSpec(forget_links, cron="37 3 * * *"),
    COMPARE_ALL: JobSpec(compare_all, cron="17 1 * * *"),
    COMPARE: JobSpec(begin_comparison, retries=3, remote=Remote(list_folder, record_comparison)),
    FILL: JobSpec(begin_filling, remote=Remote(fetch_missing, record_finds)),
    INDEX_DOCUMENTS: JobSpec(index_documents),
    "search.weigh_words": JobSpec(weigh_all_words, cron="7 * * * *"),
    KEEP_FIGURES: JobSpec(keep_figures, cron="* * * * *"),
}

CONSTRAINT_ERRORS: ConstraintErrors = {**ACCOUNT_ERRORS, **TICKET_ERRORS, **SEARCH_ERRORS, **MAILBOX_ERRORS}

FIELDS = Fields.merged(TICKET_FIELDS, COMPOSING_FIELDS, SEEN_FIELDS)
