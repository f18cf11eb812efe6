"""`locale`: the form of numbers and dates in answers, reports, checks and pictures."""

from tests.support.changes import query_database
from tests.support.chart_links import find_chart_paths
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.reporting import ReportingHarness
from tests.support.repository_settings import set_setting
from tests.support.running import Bot


async def test_an_answer_has_the_form_of_the_team_and_so_has_its_picture(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    english = await ask_command(bot, number, "/burndown")
    await set_setting(bot, "locale", "de")
    german = await ask_command(bot, number, "/burndown")
    await set_setting(bot, "locale", "en-US")
    american = await ask_command(bot, number, "/burndown")

    assert "7.2 to 4.8" in english
    assert "7,2 to 4,8" in german
    assert "7.2 to 4.8" not in german
    assert "| Wed 18 Nov | 12 | 6 | 6 | 4,8 |" in german
    assert "| Wed Nov 18 | 12 | 6 | 6 | 4.8 |" in american
    assert "As of Nov 18, 2026, 12:00 UTC" in american
    assert len({find_chart_paths(entry)[0] for entry in (english, german, american)}) == 3


async def test_a_picture_that_was_given_up_is_drawn_again_in_its_form(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await set_setting(bot, "locale", "en-US")
    answer = await ask_command(bot, number, "/burndown")
    token = find_chart_paths(answer)[0].rpartition("/")[2]
    first = await _fetched(bot, token)
    (tenant,) = await _tenants(bot)
    async with bot.base.database.tenant(tenant) as tenant_scope:
        await tenant_scope.connection.exec_driver_sql("update chart_files set png = null")

    assert await _fetched(bot, token) == first


async def test_the_sticky_comment_has_it(tracked_sprint: ReportingHarness) -> None:
    await tracked_sprint.set_settings(locale="en-US", alerts="off")
    (text,) = await tracked_sprint.advance()

    assert "As of Nov 18, 2026, 12:00 UTC" in text
    assert '<img alt="Burndown: 6 of 12 points remain on November 18, day 3 of 5; ' in text


async def test_what_is_written_for_machines_stays_as_it_is(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await set_setting(bot, "locale", "de")
    answer = await ask_command(bot, number, "/burndown as:mermaid")

    assert 'line "ideal" [12, 9.6, 7.2, 4.8, 2.4, 0]' in answer


async def _fetched(bot: Bot, token: str) -> bytes:
    async with bot.session.get(f"{bot.url}/charts/{token}") as response:
        assert response.status == 200
        return await response.read()


async def _tenants(bot: Bot) -> list[int]:
    return [row[0] for row in await query_database(bot, "select organization_id from projects")]
