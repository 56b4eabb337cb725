"""What came of a bulk change, told on the list to which one returns: signed, so that a link cannot claim anything."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from deskbell.kernel.crypto import sign, unsign
from deskbell.kernel.errors import InvalidError
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import ngettext, number

_PURPOSE: Final = "bulk/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts, and the numbers of the first few tickets that were deleted or changed by others meanwhile."""

    changed: int
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
    expected: int = 0
    meanwhile: int = 0
    numbers: tuple[str, ...] = ()

    def seal(self, key: bytes) -> str:
        """Write it as text, safe in an address."""
        return sign(key, _PURPOSE, json.dumps(asdict(self), separators=(",", ":")).encode())


def told(sealed: str, key: bytes) -> dict[str, str] | None:
    """Return the notice, as the bar of pages shows it; nothing where the text was altered. In the current language."""
    try:
        facts = json.loads(unsign(key, _PURPOSE, sealed))
    except InvalidError:
        return None
    outcome = Outcome(**{**facts, "numbers": tuple(facts["numbers"])})
    return {"kind": "success" if not outcome.deleted + outcome.missing else "warning", "text": _sentences(outcome)}


def _sentences(outcome: Outcome) -> str:
    parts = [
        _counted(
            ngettext("%(count)s ticket was changed.", "%(count)s tickets were changed.", outcome.changed),
            outcome.changed,
        )
    ]
    left = (
        (outcome.unchanged, ngettext("%(count)s was so already.", "%(count)s were so already.", outcome.unchanged)),
        (
            outcome.deleted,
            ngettext(
                "%(count)s was not: it is deleted. Restore it first.",
                "%(count)s were not: they are deleted. Restore them first.",
                outcome.deleted,
            ),
        ),
        (
            outcome.missing,
            ngettext(
                "%(count)s was not: there is no such ticket.",
                "%(count)s were not: there are no such tickets.",
                outcome.missing,
            ),
        ),
        (
            outcome.meanwhile,
            ngettext(
                "Somebody else changed %(count)s since you looked.",
                "Somebody else changed %(count)s since you looked.",
                outcome.meanwhile,
            ),
        ),
    )
    parts += [_counted(text, count) for count, text in left if count]
    if outcome.numbers:
        parts[-1] = f"{parts[-1].rstrip('.')}: {', '.join(outcome.numbers)}."
    if outcome.expected != outcome.changed:
        parts.append(_("The preview said %(count)s.") % {"count": number(outcome.expected)})
    return " ".join(parts)


def _counted(text: str, count: int) -> str:
    return text % {"count": number(count)}
