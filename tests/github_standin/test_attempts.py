"""The App's list of deliveries, and once more from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from github_standin.github import StandInGitHub
from tests.support.standin import Client, Inbox, app_jwt, installation_token

PATH = "/app/hook/deliveries"


async def test_deliveries_are_listed_newest_first(
    github: StandInGitHub, ask: Client, repo: str, inbox: Inbox
) -> None:
    for number in range(5):
        await github.create_issue(repo, f"Issue {number}")
    await github.settle()
    found: list[Any] = []
    path = f"{PATH}?per_page=2"
    while path:
        status, page, headers = await ask("GET", path, token=app_jwt(github))
        assert status == 200
        found += page
        link = headers.get("Link", "")
        assert not link or (link.endswith('>; rel="next"') and "cursor=" in link)
        path = link.partition(">")[0].removeprefix(f"<{github.url}")
    assert [one["guid"] for one in found] == [one.id for one in reversed(github.deliveries)]
    assert {one["status"] for one in found} == {"OK"}
    repository = await github.call("GET", f"/repos/{repo}")
    assert {(one["repository_id"], one["installation_id"]) for one in found} == {
        (repository["id"], github.installation_id)
    }


async def test_a_missed_delivery_comes_again_under_the_same_guid(
    github: StandInGitHub, ask: Client, repo: str, inbox: Inbox
) -> None:
    github.target = "http://127.0.0.1:9/webhooks/github"
    await github.create_issue(repo, "Missed")
    await github.settle()
    github.target = inbox.url
    _, (missed,), _ = await ask("GET", f"{PATH}?status=failure", token=app_jwt(github))
    assert (missed["status"], missed["status_code"], missed["redelivery"]) == (
        "failed to connect to host",
        502,
        False,
    )
    assert (await ask("POST", f"{PATH}/{missed['id']}/attempts", token=app_jwt(github)))[0] == 202
    await github.settle()
    assert inbox.arrived[-1][0]["X-GitHub-Delivery"] == missed["guid"]
    _, (again, first), _ = await ask("GET", PATH, token=app_jwt(github))
    assert (again["guid"], again["status"], again["redelivery"]) == (first["guid"], "OK", True)
    assert again["id"] > first["id"] == missed["id"]
    _, full, _ = await ask("GET", f"{PATH}/{again['id']}", token=app_jwt(github))
    assert full["request"]["payload"]["issue"]["title"] == "Missed"


async def test_only_the_app_asks_and_only_for_three_days(
    github: StandInGitHub, ask: Client, repo: str, inbox: Inbox
) -> None:
    await github.create_issue(repo, "Old")
    await github.settle()
    statuses = [
        (await ask("GET", PATH, token=token))[0]
        for token in (
            await installation_token(github, ask),
            github.tokens["alice"],
            app_jwt(github)[:-5] + "AAAAA",
        )
    ]
    assert statuses == [401, 401, 401]
    github.age_deliveries(timedelta(days=3))
    await github.create_issue(repo, "New")
    await github.settle()
    _, listed, _ = await ask("GET", PATH, token=app_jwt(github))
    assert len(listed) == 1 < len(github.deliveries)
