"""The demo's sprint looks the same on every day of the year, and tells one story in both its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.earlier_sprints import SPRINTS
from demo.scenario import Calendar, play
from github_standin.github import StandInGitHub

History = list[tuple[str, str, dict[str, Any]]]


@pytest.mark.parametrize("offset", range(9))
def test_today_is_always_the_seventh_working_day(offset: int) -> None:
    now = datetime(2026, 2, 26, 0, 5, tzinfo=UTC) + timedelta(days=offset)
    calendar = Calendar.around(now)
    days = [calendar.first_day + timedelta(days=ahead) for ahead in range(30)]
    working = [day for day in days if day.weekday() < 5]
    today = now.date() - timedelta(days=max(0, now.weekday() - 4))
    assert (working.index(today), working.index(calendar.last_day)) == (6, 9)
    assert calendar.instant("6 16:00") < calendar.instant("now -40") < now


async def test_the_history_ends_where_the_stand_in_stands(github: StandInGitHub) -> None:
    history: History = []

    async def deliver(event: str, delivery: str, payload: dict[str, Any]) -> None:
        history.append((event, delivery, payload))

    now = datetime.now(UTC)
    thread = await play(github, now, deliver)
    assert thread.repo == "acme/webshop"
    assert len({delivery for _, delivery, _ in history}) == len(history)
    data = [_told(payload)["updated_at"] for _, _, payload in history]
    assert data == sorted(data)
    assert all(payload["installation"] == {"id": 100} for _, _, payload in history)
    latest = {payload["issue"]["number"]: payload["issue"] for _, _, payload in history if "issue" in payload}
    assert len(latest) == 14 + SPRINTS * 8
    for number, issue in latest.items():
        stands = await github.issue(thread.repo, number)
        for key in ("id", "node_id", "title", "state", "state_reason", "created_at", "closed_at"):
            assert stands[key] == issue[key]
        assert stands["updated_at"] == issue["updated_at"]
        assert {label["id"] for label in stands["labels"]} == {label["id"] for label in issue["labels"]}
        assert (stands["milestone"] is None) == (issue["milestone"] is None)
    assert (latest[thread.number]["state"], latest[thread.number]["comments"]) == ("open", 2)
    comments = await github.comments(thread.repo, thread.number)
    assert [comment["user"]["login"] for comment in comments] == ["carol", "bob"]
    assert datetime.fromisoformat(comments[0]["created_at"]) < now - timedelta(days=2)


async def test_what_is_done_later_bears_its_own_time(github: StandInGitHub) -> None:
    repo = (await github.create_repository("acme", "later"))["full_name"]
    issue = await github.create_issue(repo, "Old")
    github.backdate(issue, created_at="2020-01-01T00:00:00Z", updated_at="2020-01-01T00:00:00Z")
    closed = await github.close_issue(repo, issue["number"])
    assert closed["created_at"] == "2020-01-01T00:00:00Z"
    assert closed["closed_at"] > "2026"
    assert closed["updated_at"] > "2026"


async def test_an_answer_without_a_body_stays_without(github: StandInGitHub) -> None:
    repo = (await github.create_repository("acme", "rerun"))["full_name"]
    issue = await github.create_issue(repo, "Old")
    github.backdate(issue, created_at="2020-01-01T00:00:00Z")
    sha = (await github.put_file(repo, "README.md", "# Shop\n"))["commit"]["sha"]
    run = await github.call("POST", f"/repos/{repo}/check-runs", {"name": "Sprint", "head_sha": sha})
    assert await github.call("POST", f"/repos/{repo}/check-runs/{run['id']}/rerequest") is None


def _told(payload: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = payload.get("comment") or payload.get("issue") or payload["milestone"]
    return data
