"""`/agile quiet`: stop automatic posts in this thread."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.quiet import OFF_WITH_DATE, ON, past_day_text, quiet_summary, quiet_text

QUIET = "quiet"
_OFF = "off"


@command(
    "agile quiet",
    summary="stops automatic posts in this thread, for good or until a day",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "state",
            ArgumentKind.CHOICE,
            "leave it out to see whether the thread is quiet",
            is_positional=True,
            choices=(ON, _OFF),
        ),
        Argument("until", ArgumentKind.DATE, "the day on which automatic posts begin again"),
    ),
    examples=("/agile quiet on", "/agile quiet until:2099-01-04", "/agile quiet off"),
    is_changing=True,
)
async def agile_quiet(context: Context, arguments: Arguments) -> Changes | Reply:
    """Turn unsolicited posts off or on in this thread; commands are still answered."""
    thread, before = context.request.thread, _stored_threads(context.project.stored_settings.get(QUIET))
    state, until = arguments.text("state"), arguments.date("until")
    today = context.calendar.day_of(context.now)
    if state == _OFF and until:
        raise UserError(OFF_WITH_DATE)
    if until and until <= today:
        raise UserError(past_day_text(until))
    if state is None and until is None:
        return Reply((quiet_text(before.get(str(thread)), today),))
    others = {number: state_of_thread for number, state_of_thread in before.items() if number != str(thread)}
    value = until.isoformat() if until else ON
    after = others if state == _OFF else others | {str(thread): value}
    summary = quiet_summary(is_quiet=state != _OFF)
    text = quiet_text(after.get(str(thread)), today)
    return Changes(summary, () if after == before else (ChangeSetting(QUIET, before or None, after),), text)


def _stored_threads(setting: object) -> dict[str, str]:
    """The stored setting `quiet` as a copy to edit: `on` or the day on which it ends, by thread number."""
    threads = setting if isinstance(setting, dict) else {}
    return {str(number): str(state) for number, state in threads.items()}
