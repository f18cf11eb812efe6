"""What is said of a sprint while it runs: the tracking comment, alerts beside it, and the standup."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from commands.formatting.foreign_text import one_line
from commands.framework.planning import Planning
from commands.framework.registry import Command
from commands.messages.charts import chart_parts
from commands.team.standup import standup, standup_report
from reports.alert import alert_text
from reports.drafts import Draft, Kept
from reports.sprint_facts import TrackingPlace, expected_of, living_of, with_effects
from reports.sticky_comment import after_picture, before_picture, digest
from sprints.alerts import HOPEFUL, MOST_A_DAY, Situation, find_crossings
from sprints.facts import Facts
from sprints.milestone import Phase, Sprint
from storage.posts import Post, PostKind, Posts, PostStatus

NOT_WORK = {"state": "closed", "state_reason": "not_planned"}
# A living comment is brought to its end, and then left alone.
_FOLLOWED_AFTER_END = timedelta(days=5)
# Later on the day it is no news any more.
_STANDUP_LASTS = timedelta(hours=2)


class FollowedSprint:
    """One sprint at one moment, followed at a place."""

    def __init__(
        self,
        planning: Planning,
        sprint: Sprint,
        place: TrackingPlace,
        fate: PostStatus | None,
        *,
        is_complete: bool,
    ) -> None:
        """`fate` is that of the tracking comment. Unless history `is_complete`, nothing new is said."""
        self._planning = planning
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._sprint = sprint
        self._place = place
        self._fate = fate
        self._is_complete = is_complete

    async def drafts(self) -> list[Draft | Kept]:
        """All that should be said of it now."""
        return [*await self._followed(), *await self._standup()]

    async def _followed(self) -> list[Draft | Kept]:
        """The living comment, and an alert beside it once it stands."""
        sprint, fate = self._sprint, self._fate
        is_over, is_new = sprint.has_ended(self._now), fate is None or fate.is_unsent
        if is_new and (is_over or not self._is_complete):
            return []
        if fate is not None and fate.is_gone:  # Who deletes it wants to hear no more of this sprint.
            return []
        is_left_alone = sprint.end is not None and self._now > sprint.end + _FOLLOWED_AFTER_END
        if is_left_alone and not (fate and fate.is_pending):
            return []
        facts = await self._planning.sprints.facts(sprint.milestone, self._now)
        if facts is None:
            return []
        drafts: list[Draft | Kept] = [await self._living(facts)]
        if fate is not None and not is_new and self._is_complete and not is_over:
            drafts += await self._alert(facts, fate)
        return drafts

    async def _living(self, facts: Facts) -> Draft | Kept:
        planning, now, place, fate = self._planning, self._now, self._place, self._fate
        before: Mapping[str, Any] = fate.post.data if fate else {}
        living = await living_of(planning, facts, place.thread)
        title = {"title": one_line(f"{facts.sprint.title}: progress")}
        frame = title | (NOT_WORK if facts.sprint.phase(now) is Phase.COMPLETED else {})
        is_issue = place.thread is None
        data: dict[str, Any] = dict(frame) if is_issue else {"otherwise": frame}
        if is_issue and "instead_of" in before:
            data["instead_of"] = before["instead_of"]
        known_digest = digest(living, planning.links_pictures, sorted(frame.items()) if is_issue else [])
        is_there = fate is not None and (not fate.is_unsent or fate.post.thread == place.thread)
        if is_there and before.get("facts") == known_digest:
            return Kept(living_key(facts.sprint))
        expected = await expected_of(planning, facts)
        words = f"{expected.words} {expected.load}".strip()
        living = await with_effects(planning, replace(living, expected=words), _effects(before))
        data = data | {
            "facts": known_digest,
            "was_hopeful": bool(before.get("was_hopeful")) or (expected.chance or 0.0) > HOPEFUL,
            "effects": dict(living.effects),
        }
        kind = PostKind.ISSUE if is_issue else PostKind.COMMENT
        post = Post(living_key(facts.sprint), kind, "", place.thread, data)
        parts = (before_picture(living), *chart_parts(planning, living.burndown), after_picture(living))
        return Draft(post, parts, expected.foretold)

    async def _alert(self, facts: Facts, fate: PostStatus) -> list[Draft]:
        """What was crossed and not told yet, as one comment on the morning of a working day."""
        sprint, planning = facts.sprint, self._planning
        thread = thread_of(fate)
        today = planning.calendar.day_of(self._now)
        is_quiet = thread is None or self._project.settings.quiet.is_quiet_thread(thread, today)
        if is_quiet or not self._project.settings.quiet.is_morning(self._now, planning.calendar):
            return []
        prefix = f"alert:{sprint.milestone}:"
        alerts = await self._posts.statuses(self._project.id, prefix)
        days = [planning.calendar.day_of(alert.sent_at) for alert in alerts.values() if alert.sent_at]
        if days.count(today) >= MOST_A_DAY:
            return []
        expected = await expected_of(planning, facts)
        was_hopeful = fate.post.data.get("was_hopeful") is True
        living = await living_of(planning, facts, thread)
        situation = Situation(facts, expected.chance, was_hopeful, tuple(living.blocked))
        told = _names(prefix, (key for key, alert in alerts.items() if alert.sent_at))
        crossed = find_crossings(situation, self._project.settings.alerts, told)
        key = prefix + "+".join(crossing.name for crossing in crossed)
        # What may have reached GitHub already is told under the same name, or not at all.
        if begun := [name for name, alert in alerts.items() if not alert.sent_at and not alert.is_unsent]:
            key = begun[0]
            crossed = tuple(crossing for crossing in crossed if crossing.name in _names(prefix, (key,)))
        if not crossed:
            return []
        text = alert_text(facts, crossed, expected.words)
        return [Draft(Post(key, PostKind.COMMENT, "", thread, {"beside": living_key(sprint)}), (text,))]

    async def _standup(self) -> list[Draft]:
        """Where a team asked for it: what happened since the last working day, told once a day."""
        at, calendar, fate = self._project.settings.standup_at, self._planning.calendar, self._fate
        thread = thread_of(fate) if fate and not fate.is_gone else None
        if at is None or thread is None or self._sprint.has_ended(self._now):
            return []
        today = calendar.day_of(self._now)
        due = calendar.instant(today, at)
        if not due <= self._now < due + _STANDUP_LASTS or not calendar.is_working_day(today):
            return []
        key = f"standup:{today.isoformat()}"
        before = await self._posts.status(self._project.id, key)
        if self._project.settings.quiet.is_quiet_thread(thread, today) or (before and before.sent_at):
            return []
        if not await may_run(self._planning, standup):
            return []
        text = await standup_report(self._planning)
        post = Post(key, PostKind.COMMENT, "", thread, {"beside": living_key(self._sprint)})
        return [Draft(post, (text,))]


def living_key(sprint: Sprint) -> str:
    """What a sprint's tracking comment is called among our posts."""
    return f"living:{sprint.milestone}"


async def may_run(planning: Planning, command: Command) -> bool:
    """What the clock runs, the plan must include as if somebody had asked for it."""
    return command.feature is None or await planning.can_use(command.feature)


def thread_of(fate: PostStatus) -> int | None:
    """The thread that a post stands in: an issue of its own is its own thread."""
    return fate.post.thread or fate.external_id


def _names(prefix: str, keys: Iterable[str]) -> set[str]:
    """The names of the crossings that alerts with such keys tell."""
    return {name for key in keys for name in key.removeprefix(prefix).split("+")}


def _effects(data: Mapping[str, Any]) -> Mapping[str, str]:
    effects = data.get("effects")
    return {str(key): str(text) for key, text in effects.items()} if isinstance(effects, Mapping) else {}
