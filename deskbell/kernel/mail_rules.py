"""How the desk deals with mail that comes in, as plain values made from the settings by whoever opens a desk."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many in a time, such as 20 in 10 minutes."""

    number: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class MailRules:
    """As a test finds it: nothing is held back or acknowledged.

    `sender` is how many tickets one address may open, `ticket` how much mail a ticket takes: what is beyond waits for a
    person. `acknowledge` is whether a request that came to no mailbox is acknowledged, a mailbox says so itself, and
    `acknowledged` how many acknowledgements one person gets. None is no limit.
    """

    sender: Allowance | None = None
    ticket: Allowance | None = None
    acknowledge: bool = False
    acknowledged: Allowance | None = None


def allowance(rate: str) -> Allowance:
    """Read a rate as it is configured, such as `20/10 minutes`. Raises ValueError."""
    from limits import parse  # noqa: PLC0415 - it takes a while, and the command line opens desks for less

    read = parse(rate)
    return Allowance(read.amount, timedelta(seconds=read.get_expiry()))
