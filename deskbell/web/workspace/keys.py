"""The keys of the workspace, in one table: the help shows it, and the script in the browser is driven by what it shows.

What a key does is `go`, an address; `press`, the element with this `data-key`, which is clicked or, if one can write
in it, focused; or `act`, something that `js/keyboard.js` knows by this name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from deskbell.web.i18n import marked


@dataclass(frozen=True, slots=True)
class Key:
    """One or two keys, written with a space between, and what they do. `also` does the same, and is shown beside."""

    keys: str
    name: str
    go: str = ""
    press: str = ""
    act: str = ""
    also: str = ""


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys of one place."""

    name: str
    keys: Sequence[Key]


KEYS: Final[Sequence[KeyGroup]] = (
    KeyGroup(
        marked("Everywhere"),
        (
            Key("/", marked("Search"), act="search"),
            Key("Mod+k", marked("Command palette: tickets, people, views, actions"), act="palette"),
            Key("c", marked("New ticket"), go="/tickets/new"),
            Key("?", marked("These keys"), act="help"),
            Key("Escape", marked("Close, leave a field, clear the selection"), act="leave"),
        ),
    ),
    KeyGroup(
        marked("Go to"),
        (
            Key("g i", marked("All open"), act="view:open"),
            Key("g m", marked("Assigned to me"), act="view:mine"),
            Key("g @", marked("Mentions of me"), act="view:mentions"),
            Key("g u", marked("Unassigned"), act="view:unassigned"),
            Key("g w", marked("Waiting on customer"), act="view:waiting"),
            Key("g p", marked("Urgent"), act="view:urgent"),
            Key("g o", marked("Overdue"), act="view:overdue"),
            Key("g a", marked("All tickets"), go="/tickets"),
            Key("g r", marked("Reports"), go="/reports"),
        ),
    ),
    KeyGroup(
        marked("In the list"),
        (
            Key("j", marked("Next ticket"), act="next", also="ArrowDown"),
            Key("k", marked("Previous ticket"), act="previous", also="ArrowUp"),
            Key("Enter", marked("Open the ticket"), act="open", also="o"),
            Key("x", marked("Select the ticket"), act="select"),
            Key("Shift+x", marked("Select from the last one to here"), act="range"),
            Key("Mod+a", marked("Select the page"), act="page"),
            Key("]", marked("Next page"), press="]"),
            Key("[", marked("Previous page"), press="["),
        ),
    ),
    KeyGroup(
        marked("With a ticket, or those that are selected"),
        (
            Key("s", marked("Status"), press="s"),
            Key("a", marked("Assignee"), press="a"),
            Key("p", marked("Priority"), press="p"),
            Key("t", marked("Tags"), press="t"),
        ),
    ),
    KeyGroup(
        marked("On a ticket"),
        (
            Key("r", marked("Reply"), press="r"),
            Key("n", marked("Internal note"), press="n"),
            Key("z", marked("Undo what was just done"), press="z"),
            Key("u", marked("Back to the list"), press="u"),
        ),
    ),
)
