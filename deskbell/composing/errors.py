"""What can keep a message from being sent."""

from typing import Any

from deskbell.kernel.errors import ConflictError


class AlreadySentError(ConflictError):
    """This message is out already: it cannot be called back any more."""

    code = "already_sent"


class MovedOnError(ConflictError):
    """Something new came in since you read this ticket. Nothing was sent: read it, then send again.

    `news` is the difference, a `guard.News`; the details say the same in plain values.
    """

    code = "moved_on"

    def __init__(self, news: Any) -> None:  # noqa: ANN401 - a guard.News, which stands above the errors
        """Take what is new."""
        super().__init__(**news.plain())
        self.news = news
