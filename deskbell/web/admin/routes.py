"""All routers of the administrator's desk."""

from typing import Final

from deskbell.web.admin import (
    access,
    audit,
    jobs,
    letters,
    mail,
    mailbox_checks,
    mailboxes,
    organizations,
    outbox,
    overview,
    people,
    system,
    tags,
    teams,
    tokens,
)
from deskbell.web.admin import views as saved_views

ADMIN: Final = tuple(
    module.router
    for module in (
        *(overview, people, organizations, teams, tags, saved_views, tokens),
        *(mailbox_checks, mailboxes, mail, outbox, letters, audit, access, jobs, system),
    )
)
