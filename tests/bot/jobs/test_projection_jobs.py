"""Stale projections of items are computed anew in the background, and differences are found and mended."""

from structlog.testing import capture_logs

from bot.cli.doctor import examine
from storage.job_types import MeasureJob, RefreshProjectionsJob
from storage.jobs import Jobs
from storage.lookups import projects_with_projections_due
from tests.support.repository_settings import set_setting
from tests.support.running import Bot, query_as_administrator, rows
from tests.support.sprints import make_sprint

_FORGE = "update item_projections set projection = replace(projection::text, 'Card form', 'Cart form')::json"


async def queue_due(bot: Bot) -> list[tuple[int, int]]:
    """Queue the jobs of due repositories, as each minute's tick does."""
    async with bot.base.database.unscoped() as connection:
        due = list(await projects_with_projections_due(connection, 100))
        for organization_id, project_id in due:
            job = RefreshProjectionsJob(organization_id=organization_id, project_id=project_id)
            await Jobs().defer(connection, job)
    await bot.rest()
    return due


async def only_project(bot: Bot) -> tuple[int, int]:
    ((organization,),) = await rows(bot.base, "select * from all_tenants()")
    ((project,),) = await rows(bot.base, "select id from projects", organization)
    return organization, project


async def test_items_of_an_older_version_are_projected_and_nothing_is_left_to_do(bot: Bot) -> None:
    number = await make_sprint(bot)
    organization, project = await only_project(bot)
    before = await rows(
        bot.base, "select item, (projection -> 'flow')::text from item_projections order by 1", organization
    )
    # As migration 0018 leaves them.
    query_as_administrator(
        bot.base,
        "update item_projections set projection = null, rules = '', is_open = true, last_at = null, "
        "number = null",
    )
    query_as_administrator(bot.base, "update projects set projections_due = true")
    comment = await bot.say(number, "/my confirm:yes")
    await bot.rest()

    assert await queue_due(bot) == [(organization, project)]
    assert await queue_due(bot) == []
    after = await rows(
        bot.base, "select item, (projection -> 'flow')::text from item_projections order by 1", organization
    )
    assert after == before
    assert "+1" in bot.reactions(comment)


async def test_a_changed_rule_is_in_force_in_the_next_answer(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number, labels=["cooking"])
    await bot.rest()
    await bot.say(number, "/aging as:table")
    await bot.rest()
    await set_setting(bot, "started_labels", ["cooking"])
    await bot.say(number, "/aging as:table new:yes")
    await bot.rest()

    first, second = (await bot.answers(number))[-2:]
    assert f"| #{number} |" not in first
    assert f"| #{number} |" in second
    assert await queue_due(bot) == [await only_project(bot)]


async def test_the_night_and_doctor_find_what_differs_from_the_events(
    bot: Bot,
) -> None:
    await make_sprint(bot)
    organization, _ = await only_project(bot)
    assert not [finding for finding in await examine(bot.base) if "differs" in finding]
    query_as_administrator(bot.base, _FORGE)

    findings = [finding for finding in await examine(bot.base) if "differs from its events" in finding]
    assert findings
    with capture_logs() as logs:
        async with bot.base.database.unscoped() as connection:
            await Jobs().defer(connection, MeasureJob(organization_id=organization))
        await bot.rest()
    assert [entry for entry in logs if entry["event"] == "projection differs from its events"]
    assert not [finding for finding in await examine(bot.base) if "differs" in finding]


async def test_an_item_that_cannot_be_folded_stops_no_other(bot: Bot) -> None:
    number = await make_sprint(bot)
    organization, _ = await only_project(bot)
    query_as_administrator(
        bot.base,
        "update timeline set after = jsonb_set(after, '{item,state}', '\"lost\"') "
        f"where kind = 'issue' and after -> 'item' ->> 'number' = '{number}'",
    )
    await bot.github.update_issue(bot.repo, number, labels=["cooking"])
    await bot.github.update_issue(bot.repo, number + 1, labels=["cooking"])
    with capture_logs() as logs:
        await bot.rest()
    recorded = await rows(
        bot.base,
        "select 1 from timeline where event = 'labeled' and after ->> 'label' = 'cooking'",
        organization,
    )
    assert len(recorded) == 2
    assert [entry for entry in logs if entry["event"] == "item not projected"]
    assert [
        finding for finding in await examine(bot.base) if "cannot be read, so answers about it" in finding
    ]
