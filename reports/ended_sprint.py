"""What is said of a sprint that is over: its summary, where that is, and what becomes of it if it goes on."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from commands.framework.planning import Planning
from commands.messages.summary import (
    abandoned_text,
    ended_again_text,
    goes_on_text,
    posted_parts,
    released_parts,
    summary_title,
    went_on_text,
)
from commands.shared.reporting import add_people, read_report
from commands.sprint.summary import summary
from reports.drafts import Draft, Kept
from reports.release_summary import IN_RELEASE, place_text, release_meant
from reports.running_sprint import NOT_WORK, living_key, may_run, thread_of
from reports.sprint_facts import TrackingPlace
from sprints.milestone import Phase, Sprint
from sprints.team_settings import SummaryPlace
from storage.posts import Post, PostKind, Posts, PostStatus

# What ended before we came is not ours to sum up, and after a month nobody waits for it any more.
_BEFORE_US = timedelta(days=7)
SUMMED_UP_WITHIN = timedelta(days=30)
# The state of what was said of an end that turned out to be none.
_GOES_ON = "goes on"
# Where it is kept with a post what it was made of; `state` is that of an issue on GitHub.
_BASIS = "basis"


@dataclass(frozen=True, slots=True)
class _Followed:
    """Where the sprint was followed, and what became of its tracking comment."""

    place: TrackingPlace | None
    fate: PostStatus | None

    def thread(self, setting: SummaryPlace) -> int | None:
        """The thread in which the sprint was followed; None for an issue of its own."""
        if setting == "issue" or self.place is None:
            return None
        if self.place.thread is not None:
            return self.place.thread
        return self.fate.external_id if self.fate and not self.fate.is_gone else None


class EndedSprint:
    """One sprint at one moment, of whose end something is said or was said."""

    def __init__(
        self, planning: Planning, sprint: Sprint, place: TrackingPlace | None, fate: PostStatus | None
    ) -> None:
        """`place` is where it was followed, `fate` that of its tracking comment."""
        self._planning = planning
        self._posts = Posts(planning.tenant)
        self._project = planning.project
        self._now = planning.now
        self._sprint = sprint
        self._followed = _Followed(place, fate)
        self._setting = planning.project.settings.summaries

    async def drafts(self) -> list[Draft | Kept]:
        """All that should be said of its end now."""
        if self._setting == "off":
            return []
        summed_up = await self._sent(self._summary_key)
        place_note = await self._sent(self._note_key)
        if self._sprint.end is None or self._sprint.phase(self._now) is not Phase.COMPLETED:
            said = [fate for fate in (summed_up, place_note) if fate is not None]
            return [
                *(draft for fate in said for draft in self._going_on(fate)),
                *await self._outdated_notices(),
            ]
        return [
            *await self._summary(summed_up),
            *await self._place_note(place_note),
            *await self._end_notices(summed_up, place_note),
        ]

    async def _sent(self, key: str) -> PostStatus | None:
        """What people can have read, or will not read any more because they deleted it."""
        fate = await self._posts.status(self._project.id, key)
        return None if fate is None or (fate.is_unsent and not fate.is_gone) else fate

    # It goes on

    def _going_on(self, fate: PostStatus) -> list[Draft | Kept]:
        """What was said of an end that was none says so, in its place."""
        if fate.is_gone:
            return []
        data = dict(fate.post.data)
        if data.get(_BASIS) == _GOES_ON:
            return [Kept(fate.post.key)]
        data |= {_BASIS: _GOES_ON, "ends_seen": _ends_seen(fate) + 1}
        text = goes_on_text(self._sprint, is_release=fate.post.kind is PostKind.RELEASE)
        return [Draft(Post(fate.post.key, fate.post.kind, "", fate.post.thread, data), (text,))]

    async def _end_notices(self, summed_up: PostStatus | None, note: PostStatus | None) -> list[Draft | Kept]:
        """After an end that was none, the real one is told: editing a summary notifies nobody."""
        said = [fate for fate in (summed_up, note) if fate is not None and not fate.is_gone]
        ends = max((_ends_seen(fate) for fate in said), default=0)
        threads = [thread_of(fate) for fate in said if fate.post.kind is not PostKind.RELEASE]
        thread = next(filter(None, threads), None) or self._followed.thread(self._setting)
        if not ends or thread is None or self._sprint.is_deleted:
            return []
        key = f"{self._notice_prefix}{ends}"
        before, outdated = await self._sent(key), await self._outdated_notices(key)
        if before is not None and before.sent_at is not None:
            return [Kept(key), *outdated]
        return [Draft(Post(key, PostKind.COMMENT, "", thread), (ended_again_text(self._sprint),)), *outdated]

    async def _outdated_notices(self, latest: str = "") -> list[Draft | Kept]:
        """The notices of ends that were none, which say so from then on; that of the `latest` end is not."""
        notices = await self._posts.statuses(self._project.id, self._notice_prefix)
        text = went_on_text(self._sprint)
        return [
            Draft(replace(notice.post, body=""), (text,))
            for key, notice in notices.items()
            if key != latest and not notice.is_unsent and not notice.is_gone
        ]

    # It is over

    async def _summary(self, before: PostStatus | None) -> list[Draft | Kept]:
        """The summary, once the milestone is closed or three days have passed without that."""
        sprint, key = self._sprint, self._summary_key
        if before is not None and before.is_gone:
            return []
        is_left_as_it_is = before is not None and before.post.data.get(_BASIS) != _GOES_ON
        if sprint.is_deleted:
            return [Kept(key)] if before and is_left_as_it_is else []
        if before is None and (await self._is_before_us() or not await may_run(self._planning, summary)):
            return []
        state = await self._state()
        home = before.post if before else await self._home()
        if home is None:
            return []
        wanted = await self._posts.desired_post(self._project.id, key)
        if before is None and wanted is not None and wanted.data.get("instead_of") == home.thread is not None:
            home = wanted
        is_wanted_there = wanted is not None and (wanted.kind, wanted.thread) == (home.kind, home.thread)
        if is_wanted_there and (kept := await self._as_wanted(wanted, before, state)):
            return [kept]  # To read all that a summary is made of takes a while.
        sheet = await add_people(self._planning, await read_report(self._planning, sprint))
        if not sheet.report.scope.count and not sheet.report.committed.entries:
            return []
        data = {**home.data, _BASIS: state}
        issue = {"title": summary_title(sprint)} | NOT_WORK
        if home.kind is PostKind.ISSUE:
            data |= issue
        elif home.kind is PostKind.COMMENT:
            data["otherwise"] = issue
        parts = (released_parts if home.kind is PostKind.RELEASE else posted_parts)(self._planning, sheet)
        return [Draft(Post(key, home.kind, "", home.thread, data), parts)]

    async def _home(self) -> Post | None:
        """Where a summary goes that is not there yet. None while the release that it belongs into is not."""
        key = self._summary_key
        if self._setting == IN_RELEASE:
            release = await release_meant(self._planning, self._sprint)
            return Post(key, PostKind.RELEASE, "", None, {"release": release.id}) if release else None
        thread = self._followed.thread(self._setting)
        return Post(key, PostKind.ISSUE if thread is None else PostKind.COMMENT, "", thread)

    async def _place_note(self, before: PostStatus | None) -> list[Draft | Kept]:
        """Where the sprint was followed: that its summary waits for a release; then, in which one it is."""
        sprint = self._sprint
        if self._setting != IN_RELEASE or (before is not None and before.is_gone):
            return []
        if sprint.is_deleted:
            if before is None or before.post.data.get(_BASIS) != _GOES_ON:
                return [Kept(self._note_key)] if before else []
            return [Draft(replace(before.post, body=""), (abandoned_text(sprint),))]
        if before is None and (await self._is_before_us() or not await may_run(self._planning, summary)):
            return []
        release = await release_meant(self._planning, sprint)
        thread = before.post.thread if before else self._followed.thread(self._setting)
        if thread is None or (before is None and (release or not await self._had_work())):
            return []
        data: dict[str, Any] = {"beside": living_key(sprint)}
        if before and (ends := _ends_seen(before)):
            data["ends_seen"] = ends
        return [
            Draft(Post(self._note_key, PostKind.COMMENT, "", thread, data), (place_text(sprint, release),))
        ]

    async def _is_before_us(self) -> bool:
        """Whether it ended before we came, or unheard and long before we heard again: no news then."""
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

    async def _as_wanted(self, wanted: Post | None, before: PostStatus | None, state: str) -> Kept | None:
        """The summary as it is wanted already, if it was made of the same."""
        if wanted is not None and wanted.data.get(_BASIS) == state:
            return Kept(wanted.key)
        if before is not None and await self._is_frozen_without_basis(before):
            return Kept(before.post.key, {_BASIS: state})
        return None

    async def _is_frozen_without_basis(self, summed_up: PostStatus) -> bool:
        """Whether GitHub has the summary of the snapshot from a version that kept no basis with it."""
        if _BASIS in summed_up.post.data or summed_up.is_pending:
            return False
        closed = await self._planning.sprints.closed(self._sprint.milestone, self._now)
        if closed is None or closed.ended_at != self._sprint.end:
            return False
        return summed_up.sent_at is not None and summed_up.sent_at >= closed.taken_at

    async def _state(self) -> str:
        """What a summary depends on: whether its numbers are frozen, and what was said since."""
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


def _ends_seen(fate: PostStatus) -> int:
    """How many ends were told that turned out to be none."""
    ends = fate.post.data.get("ends_seen")
    return ends if isinstance(ends, int) else 0
