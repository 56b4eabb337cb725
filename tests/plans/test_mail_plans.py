"""Filing mail reads no large table whole: 20,000 messages in the ledger cost the next one nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.mail_rules import Allowance, MailRules
from deskbell.kernel.resources import RESOURCES_KEY, resources_of
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import Envelope, receive
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import counts_by_state, messages
from tests.plans.conftest import BigDesk
from tests.plans.explain import explaining

MAIL = Actor.system(Channel.JOB, act="test mail")
FEW = Allowance(1_000, timedelta(days=7))


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        ("From: new@example.test\r\nMessage-ID: <new@x>", MailState.TICKET),
        ("From: c7@example.test\r\nIn-Reply-To: <unknown@x>\r\nReferences: <a@x> <b@x>", MailState.TICKET),
        ("From: copy9@example.test\r\nReferences: <a@x> <9@desk.test> <c@x>", MailState.COMMENT),
        ("From: copy10@example.test\r\nIn-Reply-To: <8@mx.test>", MailState.SUSPENDED),
        ("From: c11@example.test\r\nMessage-ID: <11@mx.test>", None),
        ("From: mallory@example.test\r\nSubject: Re: DB-1012", MailState.SUSPENDED),
    ],
    ids=["new", "unknown references", "answer", "stranger", "same id", "number"],
)
def test_filing_a_message(desk: BigDesk, headers: str, state: MailState | None) -> None:
    raw = f"{headers}\r\nTo: help@example.test\r\nCc: x@example.test\r\n\r\nHello {headers}".encode()
    with desk.database.transaction(MAIL) as session:
        session.info[RESOURCES_KEY] = replace(resources_of(session), mail=MailRules(FEW, FEW, acknowledged=FEW))
        number = receive(session, raw, source="test", envelope=Envelope("x@y.test", ("help@example.test",))).id
        with explaining(session, desk.big) as plans:
            file_message(session, number)
        message = session.get_one(InboundMessage, number)
        assert not plans.faults, plans.faults
        assert state in {None, message.state}, message.reason
        session.rollback()


def test_the_ledger_and_its_counts(desk: BigDesk, agent: Actor) -> None:
    with desk.database.transaction(agent) as session, explaining(session, desk.big, most=6_000) as plans:
        session.scalars(messages(MailState.SUSPENDED).limit(50)).all()
        assert counts_by_state(session)[MailState.SUSPENDED] == 5_000
    assert not plans.faults, plans.faults
