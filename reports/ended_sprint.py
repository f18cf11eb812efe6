"""Posts about an ended sprint: its summary, a note where the summary is, and corrections if it goes on."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from commands.framework.planning import Planning
from commands.messages.summary import (
    abandoned_text,
    ended_again_text,
    posted_parts,
    released_parts,
    reopened_notice_text,
    reopened_placeholder_text,
    summary_title,
)
from commands.shared.reporting import add_people, read_report
from commands.sprint.summary import summary
from reports.drafts import Draft, UnchangedPost
from reports.release_summary import IN_RELEASE, find_sprint_release, summary_location_text
from reports.running_sprint import NOT_PLANNED, get_thread, is_included, sticky_comment_key
from reports.sprint_tracking import TrackingPlace
from sprints.milestone import Phase, Sprint
from sprints.team_settings import SummaryPlace
from storage.post_states import Post, PostKind, PostStatus
from storage.posts import Posts

# Sprints that ended long before the App was installed get no summary, nor do sprints that ended a month ago.
_BEFORE_US = timedelta(days=7)
SUMMED_UP_WITHIN = timedelta(days=30)
# The basis of a post about an end after which the sprint continued.
_GOES_ON = "goes on"
# The key, in a post's data, of the inputs of the post. (`state` is the state of an issue on GitHub.)
_BASIS = "basis"


@dataclass(frozen=True, slots=True)
class _Tracking:
    """The place in which the sprint was tracked, and the status of its tracking comment."""

    tracking_place: TrackingPlace | None
    status: PostStatus | None

    def thread(self, setting: SummaryPlace) -> int | None:
        """The thread in which the sprint was tracked; None for an issue that the App opened."""
        if setting == "issue" or self.tracking_place is None:
            return None
        if self.tracking_place.thread is not None:
            return self.tracking_place.thread
        return self.status.external_id if self.status and not self.status.is_gone else None


class EndedSprint:
    """The posts about the end of one sprint, as of one moment."""

    def __init__(
        self,
        planning: Planning,
        sprint: Sprint,
        tracking_place: TrackingPlace | None,
        status: PostStatus | None,
    ) -> None:
        """`tracking_place` is where the sprint was tracked, `status` that of its tracking comment."""
        self._planning = planning
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._sprint = sprint
        self._tracking = _Tracking(tracking_place, status)
        self._setting = planning.project.settings.summaries

    async def drafts(self) -> list[Draft | UnchangedPost]:
        """Draft all posts about the sprint's end, as they should be now."""
        if self._setting == "off":
            return []
        summed_up = await self._sent(self._summary_key)
        place_note = await self._sent(self._note_key)
        if self._sprint.end is None or self._sprint.phase(self._now) is not Phase.COMPLETED:
            sent = [status for status in (summed_up, place_note) if status is not None]
            return [
                *(draft for status in sent for draft in self._going_on(status)),
                *await self._outdated_notices(),
            ]
        return [
            *await self._summary(summed_up),
            *await self._place_note(place_note),
            *await self._end_notices(summed_up, place_note),
        ]

    async def _sent(self, key: str) -> PostStatus | None:
        """Get the status of a post that people can have read, or that they deleted; None of any other."""
        status = await self._posts.status(self._project.id, key)
        return None if status is None or (status.is_unsent and not status.is_gone) else status

    # The sprint goes on

    def _going_on(self, status: PostStatus) -> list[Draft | UnchangedPost]:
        """Replace the post about the sprint's end by a note that the sprint goes on."""
        if status.is_gone:
            return []
        data = dict(status.post.data)
        if data.get(_BASIS) == _GOES_ON:
            return [UnchangedPost(status.post.key)]
        data |= {_BASIS: _GOES_ON, "ends_seen": _announced_ends(status) + 1}
        text = reopened_placeholder_text(self._sprint, is_release=status.post.kind is PostKind.RELEASE)
        return [Draft(Post(status.post.key, status.post.kind, "", status.post.thread, data), (text,))]

    async def _end_notices(
        self, summed_up: PostStatus | None, note: PostStatus | None
    ) -> list[Draft | UnchangedPost]:
        """Announce the real end after an announced earlier one, because editing a summary notifies nobody."""
        sent = [status for status in (summed_up, note) if status is not None and not status.is_gone]
        ends = max((_announced_ends(status) for status in sent), default=0)
        threads = [get_thread(status) for status in sent if status.post.kind is not PostKind.RELEASE]
        thread = next(filter(None, threads), None) or self._tracking.thread(self._setting)
        if not ends or thread is None or self._sprint.is_deleted:
            return []
        key = f"{self._notice_prefix}{ends}"
        before, outdated = await self._sent(key), await self._outdated_notices(key)
        if before is not None and before.sent_at is not None:
            return [UnchangedPost(key), *outdated]
        return [Draft(Post(key, PostKind.COMMENT, "", thread), (ended_again_text(self._sprint),)), *outdated]

    async def _outdated_notices(self, latest: str = "") -> list[Draft | UnchangedPost]:
        """Correct the notices of ends after which the sprint went on: all but that with the key `latest`."""
        notices = await self._posts.statuses(self._project.id, self._notice_prefix)
        text = reopened_notice_text(self._sprint)
        return [
            Draft(replace(notice.post, body=""), (text,))
            for key, notice in notices.items()
            if key != latest and not notice.is_unsent and not notice.is_gone
        ]

    # The sprint has ended

    async def _summary(self, before: PostStatus | None) -> list[Draft | UnchangedPost]:
        """Draft the summary, once the milestone is closed or three days have passed without that."""
        sprint, key = self._sprint, self._summary_key
        if before is not None and before.is_gone:
            return []
        is_final = before is not None and before.post.data.get(_BASIS) != _GOES_ON
        if sprint.is_deleted:
            return [UnchangedPost(key)] if before and is_final else []
        if before is None and (await self._is_before_us() or not await is_included(self._planning, summary)):
            return []
        state = await self._state()
        home = before.post if before else await self._home()
        if home is None:
            return []
        desired = await self._posts.desired_post(self._project.id, key)
        if (
            before is None
            and desired is not None
            and desired.data.get("instead_of") == home.thread is not None
        ):
            home = desired
        has_same_home = desired is not None and (desired.kind, desired.thread) == (home.kind, home.thread)
        if has_same_home and (unchanged := await self._unchanged_summary(desired, before, state)):
            return [unchanged]  # To read all that a summary is made of takes a while.
        sheet = await add_people(self._planning, await read_report(self._planning, sprint))
        if not sheet.report.scope.count and not sheet.report.committed.entries:
            return []
        data = {**home.data, _BASIS: state}
        issue = {"title": summary_title(sprint)} | NOT_PLANNED
        if home.kind is PostKind.ISSUE:
            data |= issue
        elif home.kind is PostKind.COMMENT:
            data["otherwise"] = issue
        parts = (released_parts if home.kind is PostKind.RELEASE else posted_parts)(self._planning, sheet)
        return [Draft(Post(key, home.kind, "", home.thread, data), parts)]

    async def _home(self) -> Post | None:
        """Return the place for a new summary. None while the release for it is not published."""
        key = self._summary_key
        if self._setting == IN_RELEASE:
            release = await find_sprint_release(self._planning, self._sprint)
            return Post(key, PostKind.RELEASE, "", None, {"release": release.id}) if release else None
        thread = self._tracking.thread(self._setting)
        return Post(key, PostKind.ISSUE if thread is None else PostKind.COMMENT, "", thread)

    async def _place_note(self, before: PostStatus | None) -> list[Draft | UnchangedPost]:
        """Draft the note in the sprint's thread that its summary waits for a release, or is in one."""
        sprint = self._sprint
        if self._setting != IN_RELEASE or (before is not None and before.is_gone):
            return []
        if sprint.is_deleted:
            if before is None or before.post.data.get(_BASIS) != _GOES_ON:
                return [UnchangedPost(self._note_key)] if before else []
            return [Draft(replace(before.post, body=""), (abandoned_text(sprint),))]
        if before is None and (await self._is_before_us() or not await is_included(self._planning, summary)):
            return []
        release = await find_sprint_release(self._planning, sprint)
        thread = before.post.thread if before else self._tracking.thread(self._setting)
        if thread is None or (before is None and (release or not await self._had_work())):
            return []
        data: dict[str, Any] = {"beside": sticky_comment_key(sprint)}
        if before and (ends := _announced_ends(before)):
            data["ends_seen"] = ends
        return [
            Draft(
                Post(self._note_key, PostKind.COMMENT, "", thread, data),
                (summary_location_text(sprint, release),),
            )
        ]

    async def _is_before_us(self) -> bool:
        """Whether the end is old: long before the installation, or long before a gap in events ended."""
        since, end = await self._posts.first_seen_at(self._project.id), self._sprint.end
        if end is None:
            return False
        if since is not None and end < since - _BEFORE_US:
            return True
        return any(
            gap.contains(end) and (gap.ended_at is None or gap.ended_at - end > _BEFORE_US)
            for gap in await self._planning.sprints.gaps()
        )

    async def _had_work(self) -> bool:
        facts = await self._planning.sprints.facts(self._sprint.milestone, self._now)
        return facts is not None and bool(facts.scope.count or facts.committed_items)

    async def _unchanged_summary(
        self, desired: Post | None, before: PostStatus | None, state: str
    ) -> UnchangedPost | None:
        """The summary as an unchanged post, if it was made of the same state."""
        if desired is not None and desired.data.get(_BASIS) == state:
            return UnchangedPost(desired.key)
        if before is not None and await self._is_frozen_without_basis(before):
            return UnchangedPost(before.post.key, {_BASIS: state})
        return None

    async def _is_frozen_without_basis(self, summed_up: PostStatus) -> bool:
        """Whether an earlier version, which stored no basis, has sent the summary of the snapshot."""
        if _BASIS in summed_up.post.data or summed_up.is_pending:
            return False
        closed = await self._planning.sprints.closed(self._sprint.milestone, self._now)
        if closed is None or closed.ended_at != self._sprint.end:
            return False
        return summed_up.sent_at is not None and summed_up.sent_at >= closed.taken_at

    async def _state(self) -> str:
        """Describe the inputs of a summary: the snapshot of its numbers, and the goal's verdict."""
        sprint = self._sprint
        closed = await self._planning.sprints.closed(sprint.milestone, self._now)
        revision = closed.revision if closed and closed.ended_at == sprint.end else 0
        verdict = self._project.settings.goal_verdicts.get(sprint.milestone)
        return f"{sprint.end} {sprint.closed_at is not None} {revision} {verdict}"

    @property
    def _summary_key(self) -> str:
        return f"summary:{self._sprint.milestone}"

    @property
    def _notice_prefix(self) -> str:
        return f"ended:{self._sprint.milestone}:"

    @property
    def _note_key(self) -> str:
        return f"summary-place:{self._sprint.milestone}"


def _announced_ends(status: PostStatus) -> int:
    """Count the announced ends after which the sprint went on."""
    ends = status.post.data.get("ends_seen")
    return ends if isinstance(ends, int) else 0
