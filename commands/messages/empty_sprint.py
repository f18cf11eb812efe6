"""What a new sprint lacks, each with the command line for that sprint: an item and a goal."""

from commands.messages.charts import sprint_argument


def no_goal_text(title: str) -> str:
    """Say how to give a sprint a goal."""
    return f'It has no goal yet. Set one with `/sprint goal "…"{sprint_argument(title)}`.'


def empty_text(title: str) -> str:
    """Say how to add items to an empty sprint."""
    return f"It is empty. Add items with `/sprint add #1 #2{sprint_argument(title)}`."
