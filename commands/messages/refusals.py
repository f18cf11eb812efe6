"""Texts about commands that are not run: who may run them, and comments with too much in them."""

from commands.framework.permissions import Level

UNREADABLE_COMMENT = (
    "This comment's Markdown is too complex to read, so I ran nothing. "
    "Post your commands in a separate comment."
)


def no_permission_text(name: str, needed: Level, level: Level) -> str:
    """The role that a command needs, and whom to ask; an empty name stands for commands in general."""
    subject = f"`/{name}`" if name else "Commands"
    if level is Level.NONE:
        verb = "is" if name else "are"
        return f"{subject} {verb} for collaborators of this repository. Please ask {needed.whom_to_ask}."
    return (
        f"{subject} needs the {needed.name.lower()} role; yours is {level.name.lower()}. "
        f"Please ask {needed.whom_to_ask}. `/agile help` shows who may run what."
    )


def gone_command_text(name: str) -> str:
    """Why a change of a command that the bot no longer has cannot be undone or confirmed."""
    return f"`/{name}` no longer exists, so it can't be undone or confirmed."


def too_many_commands_text(count: int, most: int) -> str:
    """Why none of a comment's commands was run."""
    return f"This comment has {count:,} commands, so I ran none of them. Use up to {most} per comment."


def too_long_line_text(length: int, most: int) -> str:
    """Why a line was not run."""
    return f"This line has {length:,} characters. A command can have up to {most:,}."


def settled_elsewhere_text(leader: str) -> str:
    """Why a setting cannot be changed from a repository whose sprints another one leads."""
    return (
        "The sprints here span several repositories, and the settings that affect their numbers are set in "
        f"{leader}. Run the command in an issue there. Nothing was changed."
    )


def no_role_elsewhere_text(repository: str) -> str:
    """Why a change that also affects another repository was not made."""
    return f"This also changes {repository}, where you need the write role. Nothing was changed."


def not_your_box_text(person: str) -> str:
    """Why a box was ticked in vain that would show a person's own work."""
    return f"Only {person} can tick this box, because it shows their own work."


def paused_line_text(command: str) -> str:
    """Why a command does nothing whose comment has paused the bot in a line above."""
    return f"`/{command}` was not run: the bot is paused here. Run `/agile resume` first."
