"""What `deskbell storage check` finds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deskbell.cli.console import counted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.runtime import Desk
    from deskbell.tickets.sweeping import Stored


@dataclass(slots=True)
class Examination:
    """`faults` are attachments, by id, with what is wrong; `unreferenced` and `unreadable` are files."""

    files: int = 0
    encrypted: int = 0
    faults: dict[int, str] = field(default_factory=dict)
    unreferenced: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        """Write it for programs."""
        faults = [{"attachment_id": number, "fault": fault} for number, fault in self.faults.items()]
        return {
            "files": self.files,
            "encrypted": self.encrypted,
            "faults": faults,
            "unreferenced": self.unreferenced,
            "unreadable": self.unreadable,
        }

    def lines(self) -> Iterator[str]:
        """Write it for people."""
        for number, fault in self.faults.items():
            yield f"Attachment {number}: {fault}"
        for path in self.unreadable:
            yield f"{path}: damaged, or its key is not at hand"
        for path in self.unreferenced:
            yield f"{path}: no attachment has it"
        yield (
            f"{counted(self.files, 'file')}, {self.encrypted:,} encrypted. {counted(len(self.faults), 'fault')}, "
            f"{len(self.unreferenced):,} that no attachment has."
        )


def examine(desk: "Desk", *, read: bool) -> Examination:
    """Compare all rows with the storage, and the storage with all rows. With `read` the content is compared as well."""
    found = Examination()
    _look_at_rows(desk, found, read=read)
    _look_at_files(desk, found)
    return found


def _look_at_rows(desk: "Desk", found: Examination, *, read: bool) -> None:
    from deskbell.cli.desks import system
    from deskbell.cli.progress import meter
    from deskbell.tickets.sweeping import fault_of, stored

    after, done = "", 0
    with meter("Reading", "files", None) as bar:
        while True:
            with desk.database.transaction(system()) as session:
                batch: list[Stored] = stored(session, after)
            for expected in batch:  # outside of the transaction: a disk may be slow
                if fault := fault_of(desk.resources.storage, expected, read=read):
                    found.faults[expected.attachment_id] = fault
                done += 1
                bar.show(items=done, position=done)
            if not batch:
                return
            after = batch[-1].key


def _look_at_files(desk: "Desk", found: Examination) -> None:
    from deskbell.cli.desks import system
    from deskbell.kernel.storage import SHELVES

    for number in range(SHELVES):
        with desk.database.transaction(system()) as session:
            _look_at_shelf(session, desk, number, found)


def _look_at_shelf(session: "Session", desk: "Desk", number: int, found: Examination) -> None:
    from deskbell.tickets.sweeping import unreferenced

    pieces = list(desk.resources.storage.shelf(number))
    found.files += len(pieces)
    found.encrypted += sum(piece.sealed for piece in pieces)
    found.unreadable += [piece.path for piece in pieces if not piece.key]
    found.unreferenced += [piece.path for piece in unreferenced(session, iter(pieces))]
