"""The screens of docs/screens.md with their headings and alternative texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    """The texts of a screen: file name, heading, when people see it, and alternative text."""

    name: str
    heading: str
    when: str
    alt: str


CALM = Title(
    "living-calm",
    "The tracking comment on a calm day",
    "One for each sprint, edited in place.",
    "Sprint 24 on its second day: what is done, the chance to finish, and the burndown.",
)
STATUS = Title(
    "status",
    "An answer: `/sprint status`",
    "Asked on the seventh of ten working days.",
    "The status of Sprint 24 with its burndown and the table from committed to remaining.",
)
CHANGED = Title(
    "living-changes",
    "The tracking comment after changes of scope",
    "Each change is a line, with what it did to the chance at that time.",
    "Sprint 24 on its seventh working day, with changes of scope and the burndown.",
)
BLOCKED = Title(
    "alert-blocked",
    "An alert: something is blocked",
    "A new comment, which notifies; of each item once a sprint.",
    "Half of the days are over, and item 68 has been blocked for three working days.",
)
ALERT = Title(
    "alert-scope",
    "An alert: the scope has grown",
    "Told again at each further 20 %.",
    "The scope has grown by 30 percent, with the latest changes, the days left, and what is expected now.",
)
STANDUP = Title(
    "standup",
    "The standup",
    "On working days at the hour that a team has set.",
    "What was done and started since the last working day, and what waits.",
)
ERROR = Title(
    "error",
    "A command that could not be read",
    "What was wrong, and what would be right.",
    "The command with the wrong word marked, and an example.",
)
REFUSAL = Title(
    "refusal",
    "A command that somebody may not use",
    "",
    "One sentence that says which role is needed.",
)
PREVIEW = Title(
    "preview",
    "A preview with a box",
    "What changes several things is shown first; a tick agrees to it.",
    "What closing Sprint 24 would do, and an empty box to agree.",
)
CHECK_LINKED = Title(
    "check-linked",
    "The check of a pull request that finishes an item",
    "Under “Checks” of the pull request.",
    "The check Sprint impact: what is left and the chance, now and once merged, and the burndown.",
)
CHECK_UNPLANNED = Title(
    "check-unplanned",
    "The check of unplanned work",
    "Neutral, with buttons.",
    "The check Sprint impact says that nothing of the sprint moves, and offers to add it.",
)
CHECK_FAILURE = Title(
    "check-failure",
    "The same where the settings ask for an item",
    "With `checks: {require_sprint_item: true}`.",
    "The check Sprint impact has failed and says what to do.",
)
CHECK_SETTINGS = Title(
    "check-settings",
    "The check of a settings file with mistakes",
    "On the commit that brought them.",
    "Each mistake with its line, and the sentence which settings are in force.",
)
PLAN = Title(
    "plan",
    "`/agile plan`",
    "For admins, in a private repository.",
    "What the account has bought, its seats, and where to change it.",
)
PLAN_BY_CARD = Title(
    "plan-by-card",
    "`/agile plan` of who pays by card",
    "With the cost of one more seat, and the page for everything else.",
    "What the account pays, what one more seat costs, and links to the billing portal.",
)
BILLING = Title(
    "billing-issue",
    "The billing issue",
    "One for an account, in a private repository, when something is about to cost it money or data.",
    "A payment failed: by when it matters, and where the card is changed.",
)
PRIVATE = Title(
    "status-private",
    "`/sprint status` in a private repository",
    "Nothing leaves GitHub: the burndown is a Mermaid diagram, which GitHub draws. Here it is shown as text.",
    "The status of Sprint 7 with the text of a Mermaid diagram in place of the picture.",
)
SUMMARY = Title(
    "summary",
    "The summary of a milestone",
    "When it was closed, here with the final numbers.",
    "Sprint 24 summed up: goal, numbers with their lists, velocity and thanks.",
)
