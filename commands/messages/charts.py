"""Charts in answers: as a picture, as its Markdown twin, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.render import Chart, describe_chart, write_markdown
from commands.formatting.foreign_text import can_stand_in_code
from commands.formatting.wording import folded
from commands.framework.arguments import Argument, ArgumentKind
from commands.framework.outcome import Picture, Reply
from commands.framework.planning import Planning
from commands.framework.words import quote

AS = Argument(
    "as",
    ArgumentKind.CHOICE,
    "a picture, a Mermaid chart, or the figures only; else what the repository allows",
    choices=("image", "mermaid", "table"),
)
BY = Argument(
    "by", ArgumentKind.CHOICE, "the unit; else the one that the estimates allow", choices=("points", "count")
)
_NO_PICTURE = (
    "This repository is private, and a picture would be stored outside GitHub at a secret address, "
    "so here is its content as text. A maintainer can allow pictures with `/agile config set charts "
    "image`."
)
_NO_MERMAID = "Mermaid has no chart of this kind, so here is a table."


@dataclass(frozen=True, slots=True)
class ChartText:
    """The texts around a chart.

    `reading` are three lines, the most important first. `table` holds the chart's numbers below `table_name`.
    `says_completeness` states that the `footer` names the completeness, as in a Reply.
    """

    title: str
    reading: Sequence[str]
    table_name: str
    table: str
    footer: str
    says_completeness: bool = False


def sprint_argument(title: str) -> str:
    """The argument that names a sprint after a command, such as ` for:"Sprint 24"`.

    Empty for a title that is hard to type.
    """
    return f" for:{quote(title)}" if can_stand_in_code(title) else ""


def chart_reply(planning: Planning, words: ChartText, chart: Chart | None, form: str | None) -> Reply:
    """A reply with the reading, the chart in the `form` that is chosen (a choice of AS), and the table.

    `chart` is None where there is nothing to draw.
    """
    lines = "\n".join(f"- {line}" for line in words.reading if line)
    parts: list[str | Picture] = [f"### {words.title}\n\n{lines}"]
    is_table_only = form == "table"
    if chart is not None and not is_table_only:
        parts += chart_parts(planning, chart, form)
    if words.table:
        named = f"**{words.table_name}**\n\n{words.table}"
        parts.append(named if is_table_only else folded(words.table_name, words.table))
    parts.append(words.footer)
    return Reply(tuple(parts), says_completeness=words.says_completeness)


def chart_parts(planning: Planning, chart: Chart, form: str | None = None) -> list[str | Picture]:
    """The chart, and a note where it cannot have the `form` that is chosen (a choice of AS)."""
    if planning.links_pictures and form != "mermaid":
        return [Picture(chart, describe_chart(chart))]
    text = write_markdown(chart)
    if form == "image":
        return [text, _NO_PICTURE]
    if form == "mermaid" and not text.startswith("```mermaid"):
        return [text, _NO_MERMAID]
    return [text]
