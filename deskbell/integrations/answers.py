"""What a host answers when the desk says no: the same problem documents (RFC 9457) as the API's."""

import structlog

from deskbell.kernel.errors import DeskbellError
from deskbell.web.problems import MEDIA_TYPE, problem_of

log = structlog.get_logger("deskbell.integrations")
_OURS = 500


def answer_to(error: DeskbellError, path: str) -> tuple[str, int, dict[str, str]]:
    """Return body, status and headers for an error. What is not the client's fault is logged, with the `path`."""
    if error.status >= _OURS:
        log.warning("unavailable", path=path, reason=str(error))
    problem, headers = problem_of(error)
    return problem.model_dump_json(exclude_none=True), problem.status, {"Content-Type": MEDIA_TYPE, **headers}
