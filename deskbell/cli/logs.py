"""The log of a long-running command: one line for each event on standard error, readable on a terminal, else JSON."""

import logging
import sys

import structlog

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure_logging(*, level: int = logging.WARNING) -> None:
    """Send what Deskbell and the libraries log at `level` and above to standard error."""
    readable = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        _readable() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(() if readable else (structlog.processors.format_exc_info,)),
                renderer,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),  # what is below costs nothing
        cache_logger_on_first_use=True,
    )


def _readable() -> structlog.dev.ConsoleRenderer:
    """Write tracebacks as Python does: the default one would print local variables, passwords among them."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
