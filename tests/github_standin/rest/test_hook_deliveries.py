"""The App's list of deliveries, and once more from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from github_standin.github import StandInGitHub
from tests.support.standin import Client, WebhookRecorder, app_jwt, installation_token

PATH = "/app/hook/deliveries"


async def test_deliveries_are_listed_newest_first(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    for number in range(5):
        await github.create_issue(repo, f"Issue {number}")
    await github.wait_for_webhooks()
    result: list[Any] = []
    path = f"{PATH}?per_page=2"
    while path:
        status, page, headers = await ask("GET", path, token=app_jwt(github))
        assert status == 200
        result += page
        link = headers.get("Link", "")
        assert not link or (link.endswith('>; rel="next"') and "cursor=" in link)
        path = link.partition(">")[0].removeprefix(f"<{github.url}")
    assert [entry["guid"] for entry in result] == [delivery.id for delivery in reversed(github.deliveries)]
    assert {subscription["status"] for subscription in result} == {"OK"}
    repository = await github.call("GET", f"/repos/{repo}")
    assert {(entry["repository_id"], entry["installation_id"]) for entry in result} == {
        (repository["id"], github.installation_id)
    }


async def test_a_missed_delivery_comes_again_under_the_same_guid(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    github.target = "http://127.0.0.1:9/webhooks/github"
    await github.create_issue(repo, "Missed")
    await github.wait_for_webhooks()
    github.target = inbox.url
    _, (missed,), _ = await ask("GET", f"{PATH}?status=failure", token=app_jwt(github))
    assert (missed["status"], missed["status_code"], missed["redelivery"]) == (
        "failed to connect to host",
        502,
        False,
    )
    assert (await ask("POST", f"{PATH}/{missed['id']}/attempts", token=app_jwt(github)))[0] == 202
    await github.wait_for_webhooks()
    assert inbox.arrived[-1][0]["X-GitHub-Delivery"] == missed["guid"]
    _, (again, first), _ = await ask("GET", PATH, token=app_jwt(github))
    assert (again["guid"], again["status"], again["redelivery"]) == (first["guid"], "OK", True)
    assert again["id"] > first["id"] == missed["id"]
    _, full, _ = await ask("GET", f"{PATH}/{again['id']}", token=app_jwt(github))
    assert full["request"]["payload"]["issue"]["title"] == "Missed"


async def test_only_the_app_asks_and_only_for_three_days(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    await github.create_issue(repo, "Old")
    await github.wait_for_webhooks()
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
    await github.wait_for_webhooks()
    _, listed, _ = await ask("GET", PATH, token=app_jwt(github))
    assert len(listed) == 1 < len(github.deliveries)
