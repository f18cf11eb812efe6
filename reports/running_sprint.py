"""Posts about a running sprint: its sticky comment, alerts beside it, and the daily standup."""

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
from reports.drafts import Draft, UnchangedPost
from reports.sprint_tracking import TrackingPlace, add_effects, forecast_end, load_sticky_comment
from reports.sticky_comment import content_digest, text_above_chart, text_below_chart
from sprints.alerts import HOPEFUL, MOST_A_DAY, AlertInputs, find_crossings
from sprints.facts import Facts
from sprints.milestone import Phase, Sprint
from storage.post_states import Post, PostKind, PostStatus
from storage.posts import Posts

NOT_PLANNED = {"state": "closed", "state_reason": "not_planned"}
# The sticky comment is brought up to date until then, and not edited afterwards.
_UPDATED_AFTER_END = timedelta(days=5)
# Later on the day a standup is no news any more.
_STANDUP_LASTS = timedelta(hours=2)


class TrackedSprint:
    """The posts about one sprint as of one moment, in the place where it is tracked."""

    def __init__(
        self,
        planning: Planning,
        sprint: Sprint,
        tracking_place: TrackingPlace,
        status: PostStatus | None,
        *,
        is_complete: bool,
    ) -> None:
        """`status` is that of the sticky comment. Unless the history `is_complete`, nothing new is posted."""
        self._planning = planning
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._sprint = sprint
        self._tracking_place = tracking_place
        self._status = status
        self._is_complete = is_complete

    async def drafts(self) -> list[Draft | UnchangedPost]:
        """Draft all posts about the sprint, as they should be now."""
        return [*await self._tracked(), *await self._standup()]

    async def _tracked(self) -> list[Draft | UnchangedPost]:
        """Draft the sticky comment, and an alert beside it once the comment is posted."""
        sprint, status = self._sprint, self._status
        is_over, is_new = sprint.has_ended(self._now), status is None or status.is_unsent
        if is_new and (is_over or not self._is_complete):
            return []
        if (
            status is not None and status.is_gone
        ):  # A person who deletes the comment wants no more posts about this sprint.
            return []
        is_final = sprint.end is not None and self._now > sprint.end + _UPDATED_AFTER_END
        if is_final and not (status and status.is_pending):
            return []
        facts = await self._planning.sprints.facts(sprint.milestone, self._now)
        if facts is None:
            return []
        drafts: list[Draft | UnchangedPost] = [await self._sticky_comment(facts)]
        if status is not None and not is_new and self._is_complete and not is_over:
            drafts += await self._alert(facts, status)
        return drafts

    async def _sticky_comment(self, facts: Facts) -> Draft | UnchangedPost:
        planning, now, tracking_place, status = self._planning, self._now, self._tracking_place, self._status
        data_before: Mapping[str, Any] = status.post.data if status else {}
        comment = await load_sticky_comment(planning, facts, tracking_place.thread)
        title = {"title": one_line(f"{facts.sprint.title}: progress")}
        frame = title | (NOT_PLANNED if facts.sprint.phase(now) is Phase.COMPLETED else {})
        is_issue = tracking_place.thread is None
        data: dict[str, Any] = dict(frame) if is_issue else {"otherwise": frame}
        if is_issue and "instead_of" in data_before:
            data["instead_of"] = data_before["instead_of"]
        digest = content_digest(comment, planning.links_pictures, sorted(frame.items()) if is_issue else [])
        is_posted = status is not None and (
            not status.is_unsent or status.post.thread == tracking_place.thread
        )
        if is_posted and data_before.get("facts") == digest:
            return UnchangedPost(sticky_comment_key(facts.sprint))
        expected = await forecast_end(planning, facts)
        words = f"{expected.words} {expected.load}".strip()
        comment = await add_effects(planning, replace(comment, expected=words), _read_effects(data_before))
        data = data | {
            "facts": digest,
            "was_hopeful": bool(data_before.get("was_hopeful")) or (expected.chance or 0.0) > HOPEFUL,
            "effects": dict(comment.effects),
        }
        kind = PostKind.ISSUE if is_issue else PostKind.COMMENT
        post = Post(sticky_comment_key(facts.sprint), kind, "", tracking_place.thread, data)
        parts = (
            text_above_chart(comment),
            *chart_parts(planning, comment.burndown),
            text_below_chart(comment),
        )
        return Draft(post, parts, expected.forecasts)

    async def _alert(self, facts: Facts, status: PostStatus) -> list[Draft]:
        """Draft one comment about all limits newly crossed, on the morning of a working day."""
        sprint, planning = facts.sprint, self._planning
        thread = get_thread(status)
        today = planning.calendar.day_of(self._now)
        is_quiet = thread is None or self._project.settings.quiet.is_quiet_thread(thread, today)
        if is_quiet or not self._project.settings.quiet.is_morning(self._now, planning.calendar):
            return []
        prefix = f"alert:{sprint.milestone}:"
        alerts = await self._posts.statuses(self._project.id, prefix)
        days = [planning.calendar.day_of(alert.sent_at) for alert in alerts.values() if alert.sent_at]
        if days.count(today) >= MOST_A_DAY:
            return []
        expected = await forecast_end(planning, facts)
        was_hopeful = status.post.data.get("was_hopeful") is True
        comment = await load_sticky_comment(planning, facts, thread)
        alert_inputs = AlertInputs(facts, expected.chance, was_hopeful, tuple(comment.blocked))
        announced = _crossing_names(prefix, (key for key, alert in alerts.items() if alert.sent_at))
        crossed = find_crossings(alert_inputs, self._project.settings.alerts, announced)
        key = prefix + "+".join(crossing.name for crossing in crossed)
        # An alert that may have reached GitHub already keeps its key, or is not posted at all.
        if attempted := [name for name, alert in alerts.items() if not alert.sent_at and not alert.is_unsent]:
            key = attempted[0]
            crossed = tuple(
                crossing for crossing in crossed if crossing.name in _crossing_names(prefix, (key,))
            )
        if not crossed:
            return []
        text = alert_text(facts, crossed, expected.words)
        return [
            Draft(Post(key, PostKind.COMMENT, "", thread, {"beside": sticky_comment_key(sprint)}), (text,))
        ]

    async def _standup(self) -> list[Draft]:
        """Draft the standup where a team asked for it: the news since the last working day, once a day."""
        at, calendar, status = self._project.settings.standup_at, self._planning.calendar, self._status
        thread = get_thread(status) if status and not status.is_gone else None
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
        if not await is_included(self._planning, standup):
            return []
        text = await standup_report(self._planning)
        post = Post(key, PostKind.COMMENT, "", thread, {"beside": sticky_comment_key(self._sprint)})
        return [Draft(post, (text,))]


def sticky_comment_key(sprint: Sprint) -> str:
    """The key of a sprint's sticky comment among the posts. Stored."""
    return f"living:{sprint.milestone}"


async def is_included(planning: Planning, command: Command) -> bool:
    """Whether the plan includes a command's feature; scheduled posts need it just as typed commands do."""
    return command.feature is None or await planning.can_use(command.feature)


def get_thread(status: PostStatus) -> int | None:
    """The thread that a post is in: an issue of its own is its own thread."""
    return status.post.thread or status.external_id


def _crossing_names(prefix: str, keys: Iterable[str]) -> set[str]:
    """The names of the crossings that alerts with these keys announce."""
    return {name for key in keys for name in key.removeprefix(prefix).split("+")}


def _read_effects(data: Mapping[str, Any]) -> Mapping[str, str]:
    effects = data.get("effects")
    return {str(key): str(text) for key, text in effects.items()} if isinstance(effects, Mapping) else {}
