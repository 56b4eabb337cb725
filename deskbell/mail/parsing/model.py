"""What a message says once it is read. Every string is fit for PostgreSQL: no NUL, no lone surrogate."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """`email` as it was written (case kept, not validated, at most 320 characters), `name` on one line or empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """A file that came along, decoded.

    `file_name` is safe to show and to save, never empty. `content_id` comes without angle brackets, as in `cid:…`.
    `is_inline` says that the message's HTML shows the file by that id.
    """

    file_name: str
    media_type: str
    content: bytes
    content_id: str | None = None
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message.

    Message ids come without angle brackets, at most 998 characters each; `references` stand as in the header, oldest
    first. `text` is all that can be read; `new_text` is what the person wrote now, `folded_text` the quotes, signature
    and list footer around it: together they lose nothing of `text` but white space. A message that only quotes or
    forwards is all new. `html` is safe to show and loads nothing from outside; `cid:` images stay in it.
    `automatic_reason` is the header that tells that no person sent this, or empty. `defects` say what was wrong with
    the message and what was made of it.
    """

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    text: str
    new_text: str
    folded_text: str
    html: str | None
    attachments: tuple[ParsedAttachment, ...]
    automatic_reason: str
    defects: tuple[str, ...]

    @property
    def automatic(self) -> bool:
        """Whether a program sent this: an automatic reply, a bounce, a list or a bulk mailing."""
        return bool(self.automatic_reason)
