"""Files: how they are read, what a push tells, and how the App proposes a change."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from github_standin.actions import ActionError
from github_standin.github import StandInGitHub
from tests.support.github_openapi import Check
from tests.support.standin import App, Client, WebhookRecorder, installation_token

SETTINGS = ".github/agile.yml"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def reader(openapi: Check) -> AsyncIterator[tuple[StandInGitHub, App]]:
    """An App that may not write files."""
    async with (
        StandInGitHub(check_request=openapi, permissions={"contents": "read", "metadata": "read"}) as github,
        aiohttp.ClientSession() as session,
    ):
        ask = Client(session, github.url)
        yield github, App(ask, await installation_token(github, ask))
        assert github.violations == []


async def test_a_file_is_read_as_github_writes_it(
    github: StandInGitHub, app: App, ask: Client, repo: str
) -> None:
    path = f"/repos/{repo}/contents/{SETTINGS}"
    assert (await app("GET", path))[0] == 404
    text = "estimate: points # größer\n" * 9
    await github.put_file(repo, SETTINGS, text)
    status, result = await app("GET", path)
    assert (status, result["type"], result["encoding"], result["path"]) == (200, "file", "base64", SETTINGS)
    assert max(map(len, result["content"].splitlines())) == 60
    assert base64.b64decode(result["content"]).decode() == text
    _, _, headers = await ask("GET", path, token=app.token)
    again, _, _ = await ask("GET", path, token=app.token, **{"If-None-Match": headers["ETag"]})
    assert again == 304
    status, root = await app("GET", f"/repos/{repo}/contents/")
    assert (status, [(entry["name"], entry["type"]) for entry in root]) == (200, [(".github", "dir")])
    assert (await app("GET", f"/repos/{repo}/contents/.github/other.yml"))[0] == 404


async def test_an_organizations_own_repository_has_files(github: StandInGitHub, app: App) -> None:
    repo = (await github.create_repository(name=".github"))["full_name"]
    assert (await app("GET", f"/repos/{repo}/contents/agile.yml"))[0] == 404
    await github.put_file(repo, "agile.yml", "estimate: points\n")
    status, result = await app("GET", f"/repos/{repo}/contents/agile.yml")
    assert (status, base64.b64decode(result["content"])) == (200, b"estimate: points\n")


async def test_a_push_tells_which_files_changed(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    made = await github.put_file(repo, SETTINGS, "a: 1\n", message="Settings", as_user="bob")
    changed = await github.put_file(repo, SETTINGS, "a: 2\n", as_user="bob")
    gone = await github.delete_file(repo, SETTINGS)
    with pytest.raises(ActionError):
        await github.delete_file(repo, SETTINGS)
    assert (await app("GET", f"/repos/{repo}/contents/{SETTINGS}"))[0] == 404
    await github.wait_for_webhooks()
    pushes = sorted(inbox.heard("push"), key=lambda entry: entry["commits"][0]["timestamp"])
    files = [[push["head_commit"][key] for key in ("added", "modified", "removed")] for push in pushes]
    assert files == [[[SETTINGS], [], []], [[], [SETTINGS], []], [[], [], [SETTINGS]]]
    assert [push["after"] for push in pushes] == [entry["commit"]["sha"] for entry in (made, changed, gone)]
    first, second, _ = pushes
    assert (first["ref"], first["created"], second["created"]) == ("refs/heads/main", True, False)
    assert second["before"] == first["after"]
    assert (first["sender"]["login"], first["pusher"]["name"]) == ("bob", "bob")
    assert first["commits"] == [first["head_commit"]]
    assert (first["head_commit"]["message"], first["head_commit"]["author"]["username"]) == (
        "Settings",
        "bob",
    )
    assert first["head_commit"]["tree_id"] == made["commit"]["tree"]["sha"]
    assert first["repository"]["default_branch"] == "main"


async def test_the_app_proposes_a_change(github: StandInGitHub, app: App, repo: str) -> None:
    await github.put_file(repo, SETTINGS, "a: 1\n")
    _, ref = await app("GET", f"/repos/{repo}/git/ref/heads/main")
    sha, new = ref["object"]["sha"], {"ref": "refs/heads/agile/settings"}
    assert (await app("POST", f"/repos/{repo}/git/refs", new | {"sha": sha}))[0] == 201
    status, answer = await app("POST", f"/repos/{repo}/git/refs", new | {"sha": sha})
    assert (status, answer["message"]) == (422, "Reference already exists")
    _, result = await app("GET", f"/repos/{repo}/contents/{SETTINGS}")
    sent = {
        "message": "Settings",
        "content": base64.b64encode(b"a: 2\n").decode(),
        "branch": "agile/settings",
    }
    assert (await app("PUT", f"/repos/{repo}/contents/{SETTINGS}", sent))[0] == 422
    assert (await app("PUT", f"/repos/{repo}/contents/{SETTINGS}", sent | {"sha": "0" * 40}))[0] == 409
    assert (await app("PUT", f"/repos/{repo}/contents/{SETTINGS}", sent | {"sha": result["sha"]}))[0] == 200
    pull = {"title": "Settings", "head": "agile/settings", "base": "main", "body": "Please look."}
    status, answer = await app("POST", f"/repos/{repo}/pulls", pull | {"head": "nowhere"})
    assert (status, answer["errors"][0]["field"]) == (422, "head")
    status, made = await app("POST", f"/repos/{repo}/pulls", pull)
    assert (status, made["user"]["login"], made["head"]["ref"]) == (201, github.bot_login, "agile/settings")
    status, answer = await app("POST", f"/repos/{repo}/pulls", pull)
    text = "A pull request already exists for acme:agile/settings."
    assert (status, answer["errors"][0]["message"]) == (422, text)
    _, files = await app("GET", f"/repos/{repo}/pulls/{made['number']}/files")
    assert [file["filename"] for file in files] == [SETTINGS]


async def test_without_the_permission_no_file_is_written(reader: tuple[StandInGitHub, App]) -> None:
    github, app = reader
    repo = (await github.create_repository(name="read-only"))["full_name"]
    await github.put_file(repo, "README.md", "# Shop\n")
    sent = {"message": "Settings", "content": base64.b64encode(b"a: 2\n").decode()}
    status, answer = await app("PUT", f"/repos/{repo}/contents/{SETTINGS}", sent)
    assert (status, answer["message"]) == (403, "Resource not accessible by integration")
