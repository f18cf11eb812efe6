"""Slots: what an answer is about. In its thread a later answer with the same slot takes its place.

The slot of an answer is the command with the arguments that select what it shows, such as another sprint or
another day. A change is about the items that it names, and about its topic, such as a setting or a person.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile

from commands.framework.arguments import ArgumentKind, Arguments, Value
from commands.framework.changes import Changes
from commands.framework.outcome import Answer, Reply
from commands.framework.registry import Command
from storage.outbox import ERROR_SLOT

# Arguments that say in which form or where an answer appears, and not what it is about.
_FORM = {"new", "confirm", "as", "verbose"}
# The ways to name a sprint are one.
_NAMES = {"name": "sprint", "for": "sprint", "milestone": "sprint"}
_LONGEST = 100


def answer_slot(command: Command, arguments: Arguments, thread: int, result: Reply | Changes) -> str:
    """The slot of an answer: the command's name, and what it is about unless that is the usual."""
    is_change = isinstance(result, Changes) and not result.is_personal
    chosen = list[str]()
    if isinstance(result, Changes) and result.topic:
        chosen.append(f"topic={_canonical(result.topic)}")
    for argument in command.accepted:
        value = arguments.values.get(argument.name)
        is_item = argument.kind is ArgumentKind.ITEMS and argument.is_positional
        if value is None or value is False or argument.name in _FORM or (is_change and not is_item):
            continue
        if len(argument.choices) == 1:  # The only choice is what the command shows anyway.
            continue
        if is_item and value == (f"#{thread}",):
            continue
        name = _NAMES.get(argument.name, argument.name) if isinstance(value, str) else argument.name
        chosen.append(f"{name}={_canonical(value)}")
    if not chosen:
        return command.name
    about = " ".join(sorted(chosen))
    if len(about) > _LONGEST or not about.isprintable():
        about = f"about={hashlib.sha256(about.encode(errors='replace')).hexdigest()[:32]}"
    return f"{command.name} {about}"


def slot_command(slot: str) -> str:
    """The name of the command whose answer has the slot."""
    return " ".join(takewhile(lambda word: "=" not in word, slot.split(" ")))


def separate_outcomes(answers: Sequence[Answer], taken: Iterable[str]) -> list[Answer]:
    """Give each outcome of one comment a slot of its own, so that none takes the place of another.

    `taken` are the slots of changes that an earlier attempt started. Answers that change nothing may share.
    """
    changed, separated = set(taken), list[Answer]()
    for answer in answers:
        slot, number = answer.slot, 1
        while answer.slot != ERROR_SLOT and slot in changed:
            number += 1
            slot = f"{answer.slot} call={number}"
        if answer.changes is not None and not answer.changes.is_personal:
            changed.add(slot)
        is_repeated = slot != answer.slot
        separated.append(replace(answer, slot=slot, is_new=True) if is_repeated else answer)
    return separated


def _canonical(value: Value) -> str:
    """The same text for values that mean the same."""
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    if isinstance(value, tuple):
        return ",".join(sorted({_canonical(part) for part in value}))
    return value.isoformat() if isinstance(value, date) else str(value)
