"""Answers: jobs, replies, pictures, and calls to GitHub and Stripe, from the webhook to the reply."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_errors import StripeUnavailableError
from bot.metrics.instruments import Instruments
from bot.settings import Settings
from github_standin.github import StandInGitHub
from storage.job_types import BackfillJob
from storage.jobs import Jobs
from tests.support.clock import Clock
from tests.support.conversations import comment_in_sprint
from tests.support.running import Bot, rows, running_bot, wait_until
from tests.support.scraping import Scrape, scrape
from tests.support.sprints import make_sprint
from tests.support.stripe.selling import stripe_settings
from tests.support.stripe.server import StandInStripe


@pytest.fixture
async def drawing_bot(github: StandInGitHub, settings: Settings, clock: Clock) -> AsyncIterator[Bot]:
    """A bot that draws its pictures itself, as `serve` does."""
    async with running_bot(github, settings, clock, None) as running:
        yield running
    assert not github.violations, github.violations


async def read(bot: Bot) -> Scrape:
    return await scrape(bot.session, bot.url)


async def test_an_answer_is_measured_from_the_webhook_to_the_reply(drawing_bot: Bot) -> None:
    number = await make_sprint(drawing_bot)
    assert (await read(drawing_bot)).get("agile_reply_seconds_count") == 0

    await drawing_bot.say(number, "/sprint status")

    async def is_drawn() -> bool:
        return (await read(drawing_bot)).get("agile_render_seconds_count") == 1

    await wait_until(is_drawn)
    metrics = await read(drawing_bot)
    assert metrics.get("agile_reply_seconds_count") == 1
    assert metrics.get("agile_jobs_total", task="answer", outcome="succeeded") == 1
    assert metrics.get("agile_job_seconds_count", task="answer") == 1
    assert metrics.get("agile_github_calls_total", kind="issues", status="201") == 3  # Comment and reactions.
    sent = [request for request in drawing_bot.github.requests if "/access_tokens" in request.path]
    assert metrics.get("agile_github_calls_total", kind="access_tokens", status="201") == len(sent) == 1
    for name in ("acme", "alice", drawing_bot.repository["name"], "Sprint 12", "Card form"):
        assert name not in metrics.text


async def test_a_reply_that_waited_counts_from_its_delivery(bot: Bot, clock: Clock) -> None:
    """The time is that of the application, from the storing of the comment until GitHub took the reply."""
    number = await make_sprint(bot)
    bot.github.fail_next("POST", r"/issues/\d+/comments$", 502, times=3)
    await bot.github.comment(bot.repo, number, "/sprint status")
    await bot.github.wait_for_webhooks()

    async def is_postponed() -> bool:
        waiting = "select 1 from procrastinate_jobs where status = 'todo' and task_name = 'run_later'"
        return bool(await rows(bot.base, waiting))

    await wait_until(is_postponed)
    assert (await read(bot)).get("agile_reply_seconds_count") == 0
    bot.github.clear_faults()
    clock.now = clock() + timedelta(minutes=2)
    await bot.rest()

    waited = (await read(bot)).get("agile_reply_seconds_sum")
    assert waited is not None
    assert 119 < waited < 240


async def test_a_failed_run_of_a_job_is_counted_apart(bot: Bot) -> None:
    bot.github.fail_next("POST", r"/access_tokens$", 401, times=50)
    await comment_in_sprint(bot)

    async def is_given_up() -> bool:
        return bool(await rows(bot.base, "select 1 from procrastinate_jobs where status = 'failed'"))

    await wait_until(is_given_up)
    metrics = await read(bot)
    assert metrics.get("agile_jobs_total", task="answer", outcome="failed") == 3
    assert metrics.get("agile_jobs_total", task="answer", outcome="succeeded") is None
    refused = metrics.get("agile_github_calls_total", kind="access_tokens", status="401")
    assert refused is not None
    assert refused >= 3


async def test_the_lowest_limit_at_github_is_shown(bot: Bot) -> None:
    await make_sprint(bot)
    bot.github.graphql_remaining = 499
    (project,) = await rows(bot.base, "select id, organization_id from projects order by id limit 1", 1)
    async with bot.base.database.tenant(project.organization_id) as tenant:
        job = BackfillJob(organization_id=project.organization_id, project_id=project.id, is_wanted=True)
        await Jobs().defer(tenant.connection, job)
    await bot.rest()

    metrics = await read(bot)

    remaining = metrics.get("agile_github_rate_limit_lowest_remaining", resource="graphql")
    assert remaining == bot.github.graphql_remaining
    assert metrics.get("agile_github_rate_limit_low_installations", resource="graphql") == 1
    assert metrics.get("agile_github_rate_limit_low_installations", resource="core") == 0


async def test_calls_to_stripe_are_counted(stripe_server: StandInStripe, clock: Clock) -> None:
    instruments = Instruments(clock)
    client = RealStripe(stripe_settings(stripe_server), instruments)
    assert await client.get_subscription("sub_of_nobody") is None
    await client.close()
    away = replace(stripe_settings(stripe_server), api_url="http://127.0.0.1:9")
    client = RealStripe(away, instruments)
    with pytest.raises(StripeUnavailableError):
        await client.get_price("price_of_nobody")
    await client.close()

    def count(kind: str, status: str) -> float | None:
        labels = {"kind": kind, "status": status}
        return instruments.registry.get_sample_value("agile_stripe_calls_total", labels)

    assert count("subscriptions", "404") == 1
    assert count("prices", "unreachable") == 3  # The library repeats it twice.
