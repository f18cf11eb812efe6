"""The settings of a team as one typed value. `sprints/settings_parser.py` makes it from stored JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Literal

from sprints.cadence import Cadence
from sprints.late import LateCredit
from sprints.quiet import QuietRules
from sprints.rules import DaysOff, Rules
from sprints.wip import Team, WipLimits

# The usual threshold of the forecast's alert: a chance from 0 to 1.
ENDANGERED = 0.3

SummaryPlace = Literal["tracking", "issue", "release", "off"]
# The number of a thread, or a word; None where nothing is set.
Tracking = int | Literal["issue", "off"] | None


@dataclass(frozen=True, slots=True)
class AlertThresholds:
    """The thresholds at which a team wants an alert; None for an alert that it does not want.

    `scope`: growth in percent of the commitment, repeated at twice, four times, … as much. `forecast`: the
    chance (0 to 1) to finish the sprint falls below this one after it was above 0.5. `blocked`: working days
    that an item has been blocked. `days_left`: working days until the end, the last one included.
    """

    scope: int | None = 20
    forecast: float | None = ENDANGERED
    blocked: int | None = 3
    half_way: bool = True
    days_left: int | None = 2


NO_ALERTS = AlertThresholds(None, None, None, half_way=False, days_left=None)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """The settings of the check on pull requests."""

    is_off: bool
    exempts_bots: bool
    requires_sprint_item: bool


@dataclass(frozen=True, slots=True)
class CommandRule:
    """The settings of one command; slugs and logins are in lower case.

    `role` is a role's name in lower case as it was typed, empty if it is not set. `has_short_form` is None,
    and so is `name`, if it is not set.
    """

    role: str = ""
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    has_short_form: bool | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """The settings of commands: the people who may run each one, and the names under which it is typed.

    `rules` are by the name of the command. `roles` are the roles that an admin granted by command, by login
    in lower case. `bots` are the logins, in lower case, of the bots whose comments count.
    """

    rules: Mapping[str, CommandRule]
    has_short_forms: bool
    roles: Mapping[str, str]
    bots: frozenset[str]
    answers_strangers: bool
    is_public_readable: bool


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """All settings in force for one repository. A malformed setting has its default.

    `days_off` are the team's, `absences` those of single people. `shares` are the parts of their time, from 0
    to 1, that people work for the team, by login in lower case. `cadence` is that of recurring sprints.
    `standup_at`: the local time of the daily standup, None without one.
    `tracking`: where sprints are tracked. `tracking_threads`: the thread in which a sprint was started by
    command, by GitHub's id of the milestone.
    `charts`: the form of charts. `locale`: a name such as "de-CH". None or empty stands for the default.
    `late_credits`: late work that counts for a sprint. `goal_verdicts`: "met" or "missed". Both are by
    GitHub's id of the milestone.
    """

    rules: Rules
    days_off: tuple[DaysOff, ...]
    absences: tuple[DaysOff, ...]
    shares: Mapping[str, Decimal]
    cadence: Cadence | None
    teams: tuple[Team, ...]
    wip_limits: WipLimits
    alerts: AlertThresholds
    quiet: QuietRules
    is_paused: bool
    standup_at: time | None
    tracking: Tracking
    tracking_threads: Mapping[int, int]
    summaries: SummaryPlace
    checks: CheckSettings
    charts: Literal["image", "mermaid"] | None
    locale: str
    late_credits: Mapping[int, LateCredit]
    goal_verdicts: Mapping[int, str]
    commands: CommandSettings
