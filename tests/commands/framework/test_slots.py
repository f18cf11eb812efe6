"""Slots: what an answer is about, however it was asked for."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from commands.framework.argument_parser import InputError, parse_arguments
from commands.framework.arguments import Argument, ArgumentKind
from commands.framework.changes import Changes
from commands.framework.input_settings import InputSettings
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import Command
from commands.framework.slots import answer_slot, slot_command
from storage.outbox import ERROR_SLOT

_ARGUMENTS = (
    Argument("items", ArgumentKind.ITEMS, "which", is_positional=True),
    Argument("for", ArgumentKind.TEXT, "the sprint"),
    Argument("milestone", ArgumentKind.TEXT, "the sprint"),
    Argument("as-of", ArgumentKind.DATE, "the day"),
    Argument("as", ArgumentKind.CHOICE, "the form", choices=("table", "image")),
    Argument("last", ArgumentKind.NUMBER, "how many"),
    Argument("show", ArgumentKind.CHOICE, "all", choices=("show",)),
)


def slot_of(typed: str, *, is_changing: bool = False) -> str:
    """The slot of what is typed after `/sprint show` in thread 7."""

    async def run(*_: object) -> None:
        raise NotImplementedError

    command = Command("sprint show", "", Level.READ, _ARGUMENTS, (), run, is_changing)  # type: ignore[arg-type]
    arguments = parse_arguments(typed, 0, command.accepted, InputSettings(date(2026, 11, 23)))
    return answer_slot(command, arguments, 7, Changes("show", (), "") if is_changing else Reply(("",)))


def test_the_usual_answer_has_the_commands_name() -> None:
    for typed in ("", "new:yes", "as:table", "#7", "new:no", "show:show"):
        assert slot_of(typed) == "sprint show"


def test_the_same_question_has_the_same_slot() -> None:
    same = ['for:"Sprint 12" last:3', 'last:3 milestone:"sprint  12"', 'last:3 for:"SPRINT 12" as:image']
    assert len({slot_of(typed) for typed in same}) == 1
    assert slot_of("#3 #2,#2") == slot_of("#2,#3")


def test_other_questions_have_other_slots() -> None:
    others = ["", "last:3", "last:4", "as-of:2026-11-20", "for:a", "for:b", "#1", "#2", "#1 #2"]
    assert len({slot_of(typed) for typed in others}) == len(others)


def test_a_change_is_about_its_items_and_not_about_what_becomes_of_them() -> None:
    assert slot_of("for:a", is_changing=True) == slot_of("for:b", is_changing=True) == "sprint show"
    assert slot_of("#1 for:a", is_changing=True) == slot_of('for:"b" #1', is_changing=True)
    assert slot_of("#1", is_changing=True) != slot_of("#2", is_changing=True)


@given(
    st.text(st.characters(exclude_characters='"“”„', exclude_categories=["Cs"]), min_size=1, max_size=3000)
)
def test_a_slot_is_short_and_names_its_command_whatever_is_typed(text: str) -> None:
    try:
        slot = slot_of(f'for:"{text}"')
    except InputError:  # Texts of which nothing can be seen are refused.
        return
    assert slot.startswith("sprint show ")
    assert slot.isprintable()
    assert len(slot) <= 120
    assert slot_command(slot) == "sprint show"
    assert not slot.startswith(ERROR_SLOT)
