"""Trying the servers of a mailbox as it would be, saved or not."""

from collections.abc import Mapping
from typing import Any

from deskbell.mail.mailboxes.models import LogIn
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.mailboxes.rules import port_of
from deskbell.mail.mailboxes.trials import Trial
from deskbell.mail.sources.checking import Step, check_mailbox
from deskbell.mail.sources.servers import Server


async def try_out(trial: Trial, secrets: Mapping[str, str]) -> list[Step]:
    """Try to fetch and to send as this mailbox would, with these secrets; no step for a server that it has not."""
    facts = trial.facts
    return await check_mailbox(
        imap=_server(facts, secrets, "imap"),
        folders=facts["imap_folders"],
        smtp=_server(facts, secrets, "smtp"),
        sender=facts["address"],
    )


def _server(facts: Mapping[str, Any], secrets: Mapping[str, str], service: str) -> Server | None:
    if not facts[f"{service}_host"]:
        return None
    grant = _grant(facts, secrets) if facts["login"] is LogIn.OAUTH2 else None
    is_known = service == "imap" or grant is not None
    user = facts[f"{service}_user"] or (facts["imap_user"] or facts["address"] if is_known else "")
    return Server(
        host=facts[f"{service}_host"],
        port=port_of(facts, f"{service}_port"),
        security=facts[f"{service}_security"],
        user=user,
        password="" if grant else secrets.get(f"{service}_password", ""),
        grant=grant,
        authority=facts["authority"],
    )


def _grant(facts: Mapping[str, Any], secrets: Mapping[str, str]) -> Grant:
    asked = facts["oauth_token_url"], facts["oauth_client_id"]
    return Grant(*asked, secrets.get("oauth_secret", ""), secrets.get("oauth_refresh", ""), facts["oauth_scope"])
