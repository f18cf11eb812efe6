"""The stand-in keeps the promises that other tests build on."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid

import aiohttp
import pytest

from github_standin.actions import ActionError
from github_standin.github import StandInGitHub
from tests.support.standin import Client, WebhookRecorder, app_jwt, installation_token


async def test_only_tokens_that_were_issued_are_taken(github: StandInGitHub, ask: Client, repo: str) -> None:
    bogus, body, _ = await ask("GET", f"/repos/{repo}", token="ghs_made-up")
    assert (bogus, body["message"]) == (401, "Bad credentials")
    token = await installation_token(github, ask)
    assert (await ask("GET", f"/repos/{repo}", token=token))[0] == 200
    github.revoke_installation_tokens()
    assert (await ask("GET", f"/repos/{repo}", token=token))[0] == 401
    assert github.requests[-1] == ("GET", f"/repos/{repo}", 401, "bogus")


async def test_a_jwt_signed_with_another_key_is_refused(github: StandInGitHub, ask: Client) -> None:
    good = app_jwt(github)
    assert (await ask("GET", "/app", token=good))[0] == 200
    assert (await ask("GET", "/app", token=good[:-20] + "A" * 20))[0] == 401


async def test_urls_in_bodies_and_links_lead_to_the_front(
    github: StandInGitHub, ask: Client, repo: str, alice: str
) -> None:
    for number in range(3):
        await github.create_issue(repo, f"Issue {number}")
    _, issues, headers = await ask("GET", f"/repos/{repo}/issues?per_page=2", token=alice)
    assert all(issue["url"].startswith(github.url) for issue in issues)
    assert f"<{github.url}/repos/{repo}/issues?per_page=2&page=2>" in headers["Link"]


async def test_a_reaction_is_new_once_and_counted_in_the_comment(
    github: StandInGitHub, ask: Client, repo: str
) -> None:
    issue = await github.create_issue(repo, "Issue")
    comment = await github.comment(repo, issue["number"], "Hello", "bob")
    path = f"/repos/{repo}/issues/comments/{comment['id']}"
    token = await installation_token(github, ask)
    statuses = [
        (await ask("POST", f"{path}/reactions", {"content": content}, token=token))[0]
        for content in ("eyes", "eyes", "+1", "thumbs")
    ]
    assert statuses == [201, 200, 201, 422]
    assert [reaction["content"] for reaction in github.reactions(repo, comment["id"])] == ["eyes", "+1"]
    assert github.reactions(repo, comment["id"])[0]["user"]["type"] == "Bot"
    _, seen, _ = await ask("GET", path, token=token)
    assert (seen["reactions"]["eyes"], seen["reactions"]["total_count"]) == (1, 2)
    assert (await ask("GET", f"/repos/{repo}/issues/comments/999999/reactions", token=token))[0] == 404


async def test_an_unchanged_answer_costs_a_304(
    github: StandInGitHub, ask: Client, repo: str, alice: str
) -> None:
    issue = await github.create_issue(repo, "Issue")
    path = f"/repos/{repo}/issues/{issue['number']}"
    _, _, headers = await ask("GET", path, token=alice)
    assert not headers["ETag"].startswith("W/")
    again, body, _ = await ask("GET", path, token=alice, **{"If-None-Match": headers["ETag"]})
    assert (again, body) == (304, "")
    await github.update_issue(repo, issue["number"], title="Changed")
    changed, _, _ = await ask("GET", path, token=alice, **{"If-None-Match": headers["ETag"]})
    assert changed == 200


@pytest.mark.parametrize(
    ("login", "role", "permission"),
    [
        ("alice", "admin", "admin"),
        ("bob", "write", "write"),
        ("carol", "triage", "read"),
        ("dave", "read", "read"),
        ("mallory", "read", "read"),
    ],
)
async def test_roles_are_reported_as_github_tells_them(
    ask: Client, repo: str, alice: str, *, login: str, role: str, permission: str
) -> None:
    status, body, _ = await ask("GET", f"/repos/{repo}/collaborators/{login}/permission", token=alice)
    assert (status, body["role_name"], body["permission"]) == (200, role, permission)
    assert body["user"]["permissions"]["push"] is (permission in ("admin", "write"))


async def test_strangers_and_private_repositories(github: StandInGitHub, ask: Client, alice: str) -> None:
    private = (await github.create_repository("acme", "secret", private=True))["full_name"]
    stranger = f"/repos/{private}/collaborators/mallory"
    assert (await ask("GET", f"{stranger}/permission", token=alice))[0] == 404
    assert (await ask("GET", stranger, token=alice))[0] == 404
    assert (await ask("GET", f"/repos/{private}/collaborators/bob", token=alice))[0] == 204
    assert (await ask("GET", f"/repos/{private}", token=github.tokens["mallory"]))[0] == 404
    github.roles[private] = {"mallory": "maintain", "bob": "none"}
    _, body, _ = await ask("GET", f"{stranger}/permission", token=alice)
    assert (body["role_name"], body["permission"]) == ("maintain", "write")
    assert (await ask("GET", f"/repos/{private}/collaborators/bob", token=alice))[0] == 404


async def test_every_delivery_has_an_id_of_its_own_and_a_true_signature(
    github: StandInGitHub, repo: str, inbox: WebhookRecorder
) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    for number in range(10):
        labels = ["points: 3", "bug"]
        await github.create_issue(repo, f"Issue {number}", labels=labels, milestone=milestone["number"])
    await github.wait_for_webhooks()
    ids = [uuid.UUID(headers["X-GitHub-Delivery"]) for headers, _ in inbox.arrived]
    assert len(set(ids)) == len(ids)
    for headers, body in inbox.arrived:
        digest = hmac.new(github.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
        assert json.loads(body)["installation"]["id"] == github.installation_id
    actions = [delivery.action for delivery in github.deliveries if delivery.event == "issues"]
    assert actions.count("opened") == actions.count("milestoned") == 10
    assert actions.count("labeled") == 20
    assert {delivery.status for delivery in github.deliveries} == {202}


async def test_an_edited_comment_tells_what_it_said_before(
    github: StandInGitHub, repo: str, inbox: WebhookRecorder
) -> None:
    issue = await github.create_issue(repo, "Issue")
    comment = await github.comment(repo, issue["number"], "first", "bob")
    await github.edit_comment(repo, comment["id"], "second", "bob")
    await github.edit_comment(repo, comment["id"], "third", "bob")
    await github.wait_for_webhooks()
    answer = {
        payload["comment"]["body"]: payload["changes"]["body"]["from"]
        for payload in map(json.loads, (body for _, body in inbox.arrived))
        if payload["action"] == "edited"
    }
    assert answer == {"second": "first", "third": "second"}


async def test_leaving_a_milestone_names_the_milestone_with_its_id(
    github: StandInGitHub, repo: str, inbox: WebhookRecorder
) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    issue = await github.create_issue(repo, "Issue", milestone=milestone["number"])
    await github.update_issue(repo, issue["number"], milestone=None)
    await github.wait_for_webhooks()
    left = json.loads(inbox.arrived[-1][1])
    assert (left["action"], left["milestone"]["id"]) == ("demilestoned", milestone["id"])


async def test_nothing_done_while_muted_is_ever_delivered(
    github: StandInGitHub, repo: str, inbox: WebhookRecorder
) -> None:
    async with github.muted():
        for number in range(20):
            await github.create_issue(repo, f"Quiet {number}")
    await github.create_issue(repo, "Loud")
    await github.wait_for_webhooks()
    assert [json.loads(body)["issue"]["title"] for _, body in inbox.arrived] == ["Loud"]


async def test_a_redelivery_keeps_its_id(github: StandInGitHub, repo: str, inbox: WebhookRecorder) -> None:
    github.target = "http://127.0.0.1:9/webhooks/github"
    await github.create_issue(repo, "Missed")
    await github.wait_for_webhooks()
    missed = github.deliveries[-1]
    assert missed.status is None
    github.target = inbox.url
    again = await github.redeliver(missed.id)
    assert (again.id, again.status) == (missed.id, 202)
    assert inbox.arrived[-1][0]["X-GitHub-Delivery"] == missed.id


async def test_a_lost_answer_still_had_its_effect(github: StandInGitHub, ask: Client, repo: str) -> None:
    issue = await github.create_issue(repo, "Issue")
    path = f"/repos/{repo}/issues/{issue['number']}/comments"
    token = await installation_token(github, ask)
    github.fail_next("POST", r"/comments$", 502, after_effect=True, headers={"Retry-After": "1"})
    status, _, headers = await ask("POST", path, {"body": "Here"}, token=token)
    assert (status, headers["Retry-After"]) == (502, "1")
    comments = await github.comments(repo, issue["number"])
    assert [(comment["body"], comment["user"]["type"]) for comment in comments] == [("Here", "Bot")]
    github.fail_next("POST", r"/comments$", 0)
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", path, {"body": "Never"}, token=token)
    assert len(await github.comments(repo, issue["number"])) == 1


async def test_the_check_sees_the_apps_requests_only(github: StandInGitHub, ask: Client, repo: str) -> None:
    def refuse(method: str, path: str, _query: object, body: object) -> None:
        raise ValueError(f"{method} {path} {body}")

    issue = await github.create_issue(repo, "Issue")
    token = await installation_token(github, ask)
    github.check_request = refuse
    path = f"/repos/{repo}/issues/{issue['number']}/comments"
    assert (await ask("POST", path, {"body": "x"}, token=token))[0] == 422
    assert (await ask("POST", path, {"body": "x"}, token=github.tokens["bob"]))[0] == 201
    assert [str(violation) for violation in github.violations] == [f"POST {path} {{'body': 'x'}}"]


async def test_an_installation_lists_its_repositories(github: StandInGitHub, ask: Client, repo: str) -> None:
    token = await installation_token(github, ask)
    _, body, _ = await ask("GET", "/installation/repositories?per_page=100", token=token)
    assert repo in [repository["full_name"] for repository in body["repositories"]]


async def test_a_helper_says_why_it_was_refused(github: StandInGitHub, repo: str) -> None:
    with pytest.raises(ActionError, match="404"):
        await github.comment(repo, 4711, "Nobody reads this")
