"""What of the web goes into the access log: which route shows what, and which show nothing that belongs there.

`note` is called once for each answer. A route that stands in no table is recorded as `other`: forgetting one is no way
around the log. A test wants each GET in one of the tables.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.types import Scope

from deskbell.accounts.login import Identity
from deskbell.audit.models import AccessKind
from deskbell.audit.recording import AccessRecorder, Reading
from deskbell.kernel.actor import Channel
from deskbell.web.csrf import SAFE_METHODS

STATE: Final = "reader"
SHOWN: Final = "shown"


class Reader(NamedTuple):
    """Who asks, left in the request's state by whoever found that out. `secret` is the hash of theirs."""

    identity: Identity
    channel: Channel
    secret: bytes


READS: Final[Mapping[str, AccessKind]] = {
    "/tickets": AccessKind.TICKETS,
    "/requests": AccessKind.TICKETS,
    "/requests/similar": AccessKind.SEARCH,
    "/requests/{number}": AccessKind.TICKET,
    "/requests/{number}/files/{attachment_id}": AccessKind.ATTACHMENT,
    "/tickets/{number}": AccessKind.TICKET,
    "/tickets/bulk": AccessKind.TICKETS,
    "/views/{view_id}": AccessKind.TICKETS,
    "/workspace/palette": AccessKind.COMPLETION,
    "/tickets/{number}/history": AccessKind.HISTORY,
    "/attachments/{attachment_id}": AccessKind.ATTACHMENT,
    "/admin/people": AccessKind.USERS,
    "/admin/people/{user_id}": AccessKind.USER,
    "/admin/organizations": AccessKind.ORGANIZATIONS,
    "/admin/organizations/{organization_id}": AccessKind.ORGANIZATION,
    "/admin/audit": AccessKind.AUDIT,
    "/admin/audit/export": AccessKind.EXPORT,
    "/admin/audit/operations/{operation_id}": AccessKind.AUDIT,
    "/admin/access-log": AccessKind.ACCESS,
    "/admin/mail": AccessKind.MAIL,
    "/admin/mail/{message_id}": AccessKind.MAIL,
    "/admin/outbox": AccessKind.MAIL,
    "/admin/mail/{message_id}/raw": AccessKind.MAIL,
    "/admin/mail/{message_id}/body": AccessKind.MAIL,
    "/admin/mail/{message_id}/files/{number}": AccessKind.MAIL,
    "/suspended": AccessKind.MAIL,
    "/suspended/{inbound_id}": AccessKind.MAIL,
    "/suspended/{inbound_id}/body": AccessKind.MAIL,
    "/suspended/{inbound_id}/files/{place}": AccessKind.MAIL,
    "/suspended/{inbound_id}/raw": AccessKind.MAIL,
    "/tickets/{number}/mail/{inbound_id}": AccessKind.MAIL,
    "/tickets/{number}/mail/{inbound_id}/body": AccessKind.MAIL,
    "/tickets/{number}/mail/{inbound_id}/files/{place}": AccessKind.MAIL,
    "/tickets/{number}/mail/{inbound_id}/raw": AccessKind.MAIL,
    "/tickets/{number}/comments/{comment_id}/deliveries": AccessKind.MAIL,
    "/api/v1/tickets": AccessKind.TICKETS,
    "/api/v1/tickets/{number}": AccessKind.TICKET,
    "/api/v1/tickets/{number}/comments": AccessKind.COMMENTS,
    "/api/v1/tickets/{number}/history": AccessKind.HISTORY,
    "/api/v1/tickets/{number}/as-of": AccessKind.TICKET,
    "/api/v1/tickets/{number}/audit": AccessKind.HISTORY,
    "/api/v1/attachments/{attachment_id}": AccessKind.ATTACHMENT,
    "/api/v1/attachments/{attachment_id}/content": AccessKind.ATTACHMENT,
    "/api/v1/search": AccessKind.SEARCH,
    "/api/v1/search/complete": AccessKind.COMPLETION,
    "/api/v1/views/{view_id}/tickets": AccessKind.TICKETS,
    "/api/v1/users": AccessKind.USERS,
    "/api/v1/users/{user_id}": AccessKind.USER,
    "/api/v1/organizations": AccessKind.ORGANIZATIONS,
    "/api/v1/organizations/{organization_id}": AccessKind.ORGANIZATION,
    "/api/v1/audit": AccessKind.AUDIT,
    "/api/v1/access-log": AccessKind.ACCESS,
    "/api/v1/mail/messages": AccessKind.MAIL,
    "/api/v1/mail/messages/{message_id}": AccessKind.MAIL,
    "/api/v1/mail/messages/{message_id}/raw": AccessKind.MAIL,
}
"""Each GET that shows what customers wrote or who they are, and what it shows."""

ANSWERS: Final[Mapping[tuple[str, str], AccessKind]] = {
    ("PATCH", "/api/v1/tickets/{number}"): AccessKind.TICKET,
    ("POST", "/api/v1/tickets/{number}/restore"): AccessKind.TICKET,
    ("PUT", "/api/v1/tickets/{number}/tags/{name}"): AccessKind.TICKET,
    ("DELETE", "/api/v1/tickets/{number}/tags/{name}"): AccessKind.TICKET,
    ("PATCH", "/api/v1/users/{user_id}"): AccessKind.USER,
    ("PATCH", "/api/v1/organizations/{organization_id}"): AccessKind.ORGANIZATION,
    ("POST", "/api/v1/mail/messages/{message_id}/release"): AccessKind.MAIL,
    ("POST", "/api/v1/mail/messages/{message_id}/reject"): AccessKind.MAIL,
    ("POST", "/api/v1/mail/messages/{message_id}/replay"): AccessKind.MAIL,
    ("POST", "/requests/{number}/reply"): AccessKind.TICKET,
    ("POST", "/requests/{number}/close"): AccessKind.TICKET,
    ("POST", "/requests/{number}/reopen"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/reply"): AccessKind.TICKET,
    ("POST", "/admin/people"): AccessKind.USER,
    ("POST", "/admin/people/{user_id}"): AccessKind.USER,
    ("POST", "/admin/people/{user_id}/password"): AccessKind.USER,
    ("POST", "/admin/people/{user_id}/deactivate"): AccessKind.USER,
    ("POST", "/tickets/{number}/undo"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/draft"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/draft/discard"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/draft/files/{file_id}/remove"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/preview"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/delete"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/restore"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/properties"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/tags"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/tags/remove"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/copies"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/copies/{copy_id}/remove"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/links"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/links/remove"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/deliveries/{message_id}/resend"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/mail/{inbound_id}/release"): AccessKind.TICKET,
    ("POST", "/tickets/{number}/mail/{inbound_id}/reject"): AccessKind.TICKET,
    ("POST", "/admin/mail/{message_id}/release"): AccessKind.MAIL,
    ("POST", "/admin/mail/{message_id}/reject"): AccessKind.MAIL,
    ("POST", "/admin/mail/{message_id}/replay"): AccessKind.MAIL,
}
"""Changes whose answer shows more than what was sent: one that changes nothing is a way to read."""

SHOWS_NOTHING: Final[Mapping[str, str]] = {
    "/": "leads to the list",
    "/login": "nobody is there yet",
    "/admin": "the state of the server",
    "/admin/people/new": "an empty form",
    "/admin/organizations/new": "an empty form",
    "/admin/teams": "names of teams",
    "/admin/teams/new": "an empty form",
    "/admin/teams/{team_id}": "colleagues",
    "/admin/tags": "names of tags",
    "/admin/tags/new": "an empty form",
    "/admin/tags/{tag_id}": "a tag's name",
    "/admin/views": "saved queries; what they find is recorded when it is shown",
    "/admin/tokens": "names of tokens, without their secrets",
    "/admin/tokens/new": "an empty form",
    "/admin/retention": "sizes",
    "/admin/mailboxes": "addresses of the desk",
    "/admin/mailboxes/new": "an empty form",
    "/admin/mailboxes/{mailbox_id}": "how mail is fetched and sent, without secrets",
    "/admin/letters": "what the desk's letters say",
    "/admin/letters/{kind}/{locale}": "what the desk's letters say",
    "/admin/letters/{kind}/{locale}/preview": "a letter of made-up facts",
    "/admin/jobs": "the state of the server",
    "/admin/system": "the state of the server",
    "/admin/replicas": "the state of the server",
    "/admin/slow-queries": "statements without their values",
    "/login/link": "nobody is there yet",
    "/register": "nobody is there yet",
    "/password": "nobody is there yet",
    "/check-mail": "nobody is there yet",
    "/sign-in": "nobody is there yet",
    "/requests/new": "an empty form",
    "/tickets/{number}/draft/files/{file_id}": "a file that its reader is about to send",
    "/tickets/new": "an empty form",
    "/views": "saved queries",
    "/views/new": "an empty form",
    "/views/{view_id}/edit": "a saved query",
    "/workspace/counts": "figures",
    "/reports": "figures",
    "/reports/breakdown": "figures",
    "/reports/times": "figures",
    "/workspace/total": "figures",
    "/profile": "one's own account",
    "/workspace/live": "numbers of tickets; what changed is recorded when it is fetched",
    "/api/docs": "documentation",
    "/api/docs/start.js": "documentation",
    "/api/docs/{name}": "documentation",
    "/api/openapi.json": "documentation",
    "/healthz": "the state of the process",
    "/readyz": "the state of the process",
    "/api/v1/me": "one's own account",
    "/api/v1/tokens": "one's own tokens, without their secrets",
    "/api/v1/tags": "names of tags",
    "/api/v1/teams": "names of teams",
    "/api/v1/teams/{team_id}": "a team's name",
    "/api/v1/teams/{team_id}/members": "colleagues",
    "/api/v1/mailboxes": "addresses of the desk",
    "/api/v1/mailboxes/{mailbox_id}": "how mail is fetched and sent, without secrets",
    "/api/v1/mailboxes/{mailbox_id}/folders": "the state of their servers",
    "/api/v1/letters": "what the desk's letters say",
    "/api/v1/letters/{kind}/{locale}": "what the desk's letters say",
    "/api/v1/views": "saved queries; what they find is recorded when it is shown",
    "/api/v1/views/{view_id}": "a saved query",
    "/api/v1/views/counts": "figures",
    "/api/v1/statistics": "figures",
    "/api/v1/reports/flow": "figures",
    "/api/v1/reports/flow.csv": "figures",
    "/api/v1/reports/times": "figures",
    "/api/v1/reports/times.csv": "figures",
    "/api/v1/system": "the state of the server",
    "/api/v1/system/slow-queries": "statements without their values",
    "/api/v1/system/jobs": "the state of the server",
    "/api/v1/system/replicas": "the state of the server",
}
"""Each GET that is not recorded, and why not."""

_REFUSED: Final = 400
_EMPTY: Final = frozenset({204, 303})
_REFUSALS_SHOWN: Final = ("/tickets/", "/requests/")
"""Pages' forms that are refused show the ticket; the API's refusals show nothing."""


def note(scope: Scope, status: int | None) -> None:
    """Note what an answer has shown, where it has shown something to somebody."""
    state: dict[str, Any] = scope["state"]
    reader: Reader | None = state.get(STATE)
    if reader is None or status is None:
        return
    recorder: AccessRecorder | None = scope["app"].state.access
    if recorder is None:
        return
    path: str = getattr(scope.get("route"), "path", "") or scope["path"]
    kind = _kind(scope["method"], path, status)
    if kind is not None:
        recorder.add(_reading(scope, recorder.clock.now(), reader, path, kind))


def _kind(method: str, path: str, status: int) -> AccessKind | None:
    if method not in SAFE_METHODS:
        kind = ANSWERS.get((method, path))
        is_shown = status < _REFUSED if not path.startswith(_REFUSALS_SHOWN) else True
        return kind if is_shown and status not in _EMPTY else None
    if status >= _REFUSED or status in _EMPTY:
        return None
    return READS.get(path) or (None if path in SHOWS_NOTHING else AccessKind.OTHER)


def _reading(scope: Scope, at: datetime, reader: Reader, path: str, kind: AccessKind) -> Reading:
    state: dict[str, Any] = scope["state"]
    parameters: dict[str, Any] = scope["path_params"]
    number = parameters.get("number")
    record = next(iter(parameters.values()), None) if number is None else None
    client = scope.get("client")
    return Reading(
        at,
        reader.identity.user_id,
        reader.secret,
        reader.identity.role.value,
        reader.channel.value,
        f"{scope['method']} {path}",
        kind.value,
        number,
        int(record) if record is not None and str(record).isdecimal() else None,
        scope["query_string"],
        state.get(SHOWN, 1 if parameters else None),
        client[0] if client else "",
        state["request_id"],
    )
