"""Chart links: unguessable, immutable, and gone once the repository is invisible."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.jobs.retention import Retention
from bot.publishing.pictures import ChartRenderer
from bot.sync.visibility_check import CHECK_EVERY
from charts.placeholder import load_placeholder
from charts.themes import Theme
from tests.support.chart_links import (
    DrawnPictures,
    find_chart_paths,
    find_project,
    request_chart_path,
    request_chart_paths,
)
from tests.support.charts.family import CASES
from tests.support.clock import Clock
from tests.support.conversations import comment_in_sprint, wait_for_answer
from tests.support.running import Bot, query_as_administrator, rows


async def test_the_linked_picture_is_served_and_soon_asked_for_again(bot: Bot) -> None:
    path = await request_chart_path(bot)
    async with bot.session.get(bot.url + path) as response:
        assert response.status == 200
        assert response.content_type == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        kept_for = dict(
            part.strip().partition("=")[::2] for part in response.headers["Cache-Control"].split(",")
        )
        assert {"must-revalidate", "public"} <= kept_for.keys()
        # What was kept must end in time for the hour, also after a change that nobody told us of.
        assert timedelta(seconds=int(kept_for["max-age"])) + CHECK_EVERY < timedelta(minutes=55)
        assert kept_for["s-maxage"] == kept_for["max-age"]
        etag = response.headers["ETag"]
        assert not etag.startswith("W/")
        assert (await response.read()).startswith(b"\x89PNG")
    async with bot.session.get(bot.url + path, headers={"If-None-Match": etag}) as response:
        assert response.status == 304
    async with bot.session.head(bot.url + path) as response:
        assert response.status == 200


async def test_the_same_picture_is_drawn_once_and_keeps_its_name(bot: Bot) -> None:
    number, comment = await comment_in_sprint(bot)
    await wait_for_answer(bot, number, comment)
    await bot.say(number, "/sprint status new:yes")
    first, second = map(find_chart_paths, await bot.answers(number))
    assert first == second
    assert len(set(first)) == 2, "a light and a dark picture"
    assert len(await rows(bot.base, "select 1 from chart_files", 1)) == 2


async def test_any_chart_is_drawn_and_linked(bot: Bot, drawing: ChartRenderer) -> None:
    await request_chart_path(bot)
    pictures = DrawnPictures(bot.base.database, drawing, bot.url)
    project = await find_project(bot)
    links = {await pictures.link(1, project, CASES[name]) for name in ("velocity", "flow", "velocity")}
    assert len(links) == 2
    for link in links:
        async with bot.session.get(link) as response:
            assert (await response.read()).startswith(b"\x89PNG")


async def test_a_picture_that_was_given_up_is_drawn_again_the_same(bot: Bot, clock: Clock) -> None:
    path = await request_chart_path(bot)
    async with bot.session.get(bot.url + path) as response:
        before = await response.read()
    later = datetime.now(UTC) + timedelta(days=31)
    await Retention(bot.base.database, lambda: later, timedelta(days=90)).run()
    assert await _light_pictures(bot) == [None]

    async with bot.session.get(bot.url + path) as response:
        assert await response.read() == before
    assert await _light_pictures(bot) == [before]


async def test_a_picture_that_is_looked_at_is_kept(bot: Bot, clock: Clock) -> None:
    path = await request_chart_path(bot)
    await rows(bot.base, "update chart_files set used_at = now() - interval '40 days' returning id", 1)
    async with bot.session.get(bot.url + path) as response:
        assert response.status == 200
    await Retention(bot.base.database, lambda: datetime.now(UTC), timedelta(days=90)).run()

    assert all(await _light_pictures(bot))


async def test_an_answer_does_not_wait_for_its_picture_and_the_route_draws_it_once(
    bot: Bot, drawing: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that posted the answer never draws the picture, as if it died."""
    draw, drawn_by_route = ChartRenderer.draw, list[object]()

    async def draw_outside_the_worker(renderer: ChartRenderer, *arguments: Any) -> bytes:
        if renderer is drawing:
            await asyncio.Event().wait()
        drawn_by_route.append(arguments[0])
        return await draw(renderer, *arguments)

    monkeypatch.setattr(ChartRenderer, "draw", draw_outside_the_worker)
    path = await request_chart_path(bot)
    assert await _light_pictures(bot) == [None]

    async def read() -> tuple[int, bytes]:
        async with bot.session.get(bot.url + path) as response:
            return response.status, await response.read()

    pictures = await asyncio.gather(read(), read(), read())
    assert {status for status, _ in pictures} == {200}
    (png,) = {body for _, body in pictures}
    assert png.startswith(b"\x89PNG")
    assert len(drawn_by_route) == 1
    assert await _light_pictures(bot) == [png]


async def test_the_route_waits_for_the_worker_that_draws_a_new_picture(
    bot: Bot, drawing: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, may_draw, renderers = ChartRenderer.draw, asyncio.Event(), list[ChartRenderer]()

    async def draw_when_allowed(renderer: ChartRenderer, *arguments: Any) -> bytes:
        renderers.append(renderer)
        await may_draw.wait()
        return await draw(renderer, *arguments)

    monkeypatch.setattr(ChartRenderer, "draw", draw_when_allowed)
    monkeypatch.setattr("bot.webhooks.chart_route._LOOKS_FOR_WORKER", 1000)
    path = await request_chart_path(bot)
    reading = asyncio.create_task(bot.session.get(bot.url + path).__aenter__())
    await asyncio.sleep(0)
    may_draw.set()

    async with await reading as response:
        assert (await response.read()).startswith(b"\x89PNG")
    assert renderers == [drawing]


async def test_a_picture_that_cannot_be_drawn_now_is_drawn_when_it_is_asked_for(
    bot: Bot, drawing: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = ChartRenderer.draw

    async def fail_in_the_worker(renderer: ChartRenderer, *arguments: Any) -> bytes:
        if renderer is drawing:
            raise OSError("no memory")
        return await draw(renderer, *arguments)

    monkeypatch.setattr(ChartRenderer, "draw", fail_in_the_worker)
    path = await request_chart_path(bot)
    async with bot.session.get(bot.url + path) as response:
        assert (response.status, response.content_type) == (200, "image/png")


async def test_a_picture_is_not_served_if_its_repository_became_private_while_it_was_drawn(
    bot: Bot, drawing: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, begun, may_draw = ChartRenderer.draw, asyncio.Event(), asyncio.Event()

    async def draw_in_the_route_when_allowed(renderer: ChartRenderer, *arguments: Any) -> bytes:
        if renderer is drawing:
            await asyncio.Event().wait()
        begun.set()
        await may_draw.wait()
        return await draw(renderer, *arguments)

    monkeypatch.setattr(ChartRenderer, "draw", draw_in_the_route_when_allowed)
    path = await request_chart_path(bot)
    reading = asyncio.create_task(bot.session.get(bot.url + path).__aenter__())
    await begun.wait()
    await rows(bot.base, "update projects set is_private = true returning id", 1)
    may_draw.set()

    async with await reading as response:
        assert (response.status, response.headers["Cache-Control"]) == (404, "no-store")


async def test_a_chart_that_cannot_be_drawn_says_so_and_is_tried_again_after_a_while(
    bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, renderers = ChartRenderer.draw, list[ChartRenderer]()

    async def fail(renderer: ChartRenderer, *_: Any) -> bytes:
        renderers.append(renderer)
        raise ValueError("no such day")

    monkeypatch.setattr(ChartRenderer, "draw", fail)
    with capture_logs() as logs:
        path = await request_chart_path(bot)
        for _ in range(3):
            async with bot.session.get(bot.url + path) as response:
                assert (response.status, response.content_type) == (200, "image/png")
                assert response.headers["Cache-Control"] == "no-store"
                assert "ETag" not in response.headers
                assert await response.read() == load_placeholder(Theme.LIGHT)
    assert len(renderers) == 2, "the worker and the route try once each"
    failures = [entry["chart"] for entry in logs if entry["log_level"] == "error"]
    assert failures == ["Burndown", "Burndown"]

    monkeypatch.setattr(ChartRenderer, "draw", draw)
    clock.now = datetime.now(UTC) + timedelta(minutes=6)
    async with bot.session.get(bot.url + path) as response:
        assert "max-age" in response.headers["Cache-Control"]
        png = await response.read()
    assert await _light_pictures(bot) == [png]


async def test_a_chart_of_another_version_shows_that_it_cannot_be_drawn(bot: Bot) -> None:
    path = await request_chart_path(bot)
    async with bot.session.get(bot.url + path) as response:
        etag = response.headers["ETag"]
    query_as_administrator(
        bot.base, """update chart_files set png = null, inputs = '{"kind": "Sundial", "chart": {}}'"""
    )
    with capture_logs() as logs:
        async with bot.session.get(bot.url + path) as response:
            assert (response.status, await response.read()) == (200, load_placeholder(Theme.LIGHT))
        async with bot.session.get(bot.url + path, headers={"If-None-Match": etag}) as response:
            assert response.status == 304, "who has the picture keeps it"
    assert [entry["chart"] for entry in logs if entry["log_level"] == "error"] == ["Sundial"]


async def test_a_failure_of_the_database_is_not_cached_as_a_picture(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await request_chart_path(bot)

    async def fail(*_: object) -> int:
        raise OSError("connection lost")

    monkeypatch.setattr("bot.webhooks.chart_route.tenant_of_chart", fail)
    async with bot.session.get(bot.url + path) as response:
        assert (response.status, response.headers["Cache-Control"]) == (500, "no-store")


# The dark picture


async def test_the_dark_picture_is_drawn_when_it_is_asked_for_and_once(
    bot: Bot, drawing: ChartRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, themes = ChartRenderer.draw, list[tuple[bool, Theme]]()

    async def note(renderer: ChartRenderer, *arguments: Any) -> bytes:
        themes.append((renderer is drawing, arguments[2] if len(arguments) > 2 else Theme.LIGHT))
        return await draw(renderer, *arguments)

    monkeypatch.setattr(ChartRenderer, "draw", note)
    light, dark = await request_chart_paths(bot)
    light_png = await _read(bot, light)
    await bot.rest()
    assert themes == [(True, Theme.LIGHT)], "nobody asked for the dark one"

    pictures = await asyncio.gather(*(_read(bot, dark) for _ in range(3)), _read(bot, dark))
    assert len(set(pictures)) == 1
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] != light_png
    assert await _read(bot, dark) == pictures[0]
    assert themes == [(True, Theme.LIGHT), (False, Theme.DARK)]


async def test_the_dark_picture_has_the_rules_of_the_light_one(bot: Bot) -> None:
    light, dark = await request_chart_paths(bot)
    headers = dict[str, tuple[str, str]]()
    for path in (light, dark):
        async with bot.session.get(bot.url + path) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            headers[path] = (response.headers["Cache-Control"], response.headers["ETag"])
    assert headers[light][0] == headers[dark][0]
    assert headers[light][1] != headers[dark][1]
    async with bot.session.get(bot.url + dark, headers={"If-None-Match": headers[dark][1]}) as response:
        assert response.status == 304

    await rows(bot.base, "update projects set is_private = true returning id", 1)
    for path in (light, dark):
        async with bot.session.get(bot.url + path) as response:
            assert (response.status, response.headers["Cache-Control"]) == (404, "no-store")


async def test_the_bytes_of_both_are_given_up_and_drawn_again(bot: Bot, clock: Clock) -> None:
    paths = await request_chart_paths(bot)
    before = [await _read(bot, path) for path in paths]
    later = datetime.now(UTC) + timedelta(days=31)
    await Retention(bot.base.database, lambda: later, timedelta(days=90)).run()
    assert [row.png for row in await rows(bot.base, "select png from chart_files", 1)] == [None, None]

    assert [await _read(bot, path) for path in paths] == before


async def test_a_dark_picture_that_cannot_be_drawn_says_so_in_the_dark(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, dark = await request_chart_paths(bot)

    async def fail(*_: Any) -> bytes:
        raise ValueError("no such day")

    monkeypatch.setattr(ChartRenderer, "draw", fail)
    with capture_logs():
        assert await _read(bot, dark) == load_placeholder(Theme.DARK)
    assert load_placeholder(Theme.DARK) != load_placeholder(Theme.LIGHT)


async def _read(bot: Bot, path: str) -> bytes:
    async with bot.session.get(bot.url + path) as response:
        assert response.status == 200
        return await response.read()


async def _light_pictures(bot: Bot) -> list[bytes | None]:
    """The bytes of the pictures that are drawn without being asked for."""
    stored = await rows(bot.base, "select png, inputs from chart_files", 1)
    return [row.png for row in stored if b'"theme":"dark"' not in row.inputs]
