"""All routers of the administrator's desk."""

from typing import Final

from deskbell.web.admin import (
    access,
    audit,
    jobs,
    letters,
    mail,
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
        *(mailboxes, mail, outbox, letters, audit, access, jobs, system),
    )
)
