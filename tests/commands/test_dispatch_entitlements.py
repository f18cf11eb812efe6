"""The dispatcher asks for entitlements once, and only for commands that need them."""

from dataclasses import replace

import pytest

from commands.dispatch import Dispatcher
from commands.framework.outcome import Answer
from commands.framework.permissions import Level
from commands.framework.request import Request
from marketplace.entitlements import Allowed, Decision, Denied, Reason
from tests.support.dispatching import DispatchHarness, make_request, reply_texts

DENIED = Denied(Reason.NOT_IN_PLAN, "This needs the Pro plan, and acme is on Free.", "See `/agile plan`")


class PaidDispatchHarness(DispatchHarness):
    """A dispatcher harness in which closing a sprint needs a feature."""

    def __init__(self, decision: Decision, level: Level = Level.WRITE) -> None:
        super().__init__(level)
        self.decision = decision
        needing = replace(self._command("sprint close", Level.WRITE), feature="forecasts")
        self.dispatcher = Dispatcher([self._command("sprint status", Level.READ), needing])

    async def answer(self, request: Request) -> list[Answer]:
        environment = self.build_environment(request, entitled=self._entitled)
        return await self.dispatcher.answer(request, environment)

    async def _entitled(self, feature: str, login: str) -> Decision:
        self.log.append(f"is {login} entitled to {feature}")
        return self.decision


async def test_what_the_plan_includes_runs() -> None:
    shop = PaidDispatchHarness(Allowed())
    (answer,) = await shop.say("/sprint close")
    assert answer.is_success
    assert shop.log[-3:] == ["is alice entitled to forecasts", "opened", "ran sprint close"]


async def test_what_it_does_not_include_is_denied_in_words_and_does_not_run() -> None:
    shop = PaidDispatchHarness(DENIED)
    (answer,) = await shop.say("/sprint close")
    assert not answer.is_success
    assert reply_texts([answer]) == [DENIED.text]
    assert shop.ran == []


async def test_all_other_lines_of_the_comment_are_answered() -> None:
    shop = PaidDispatchHarness(DENIED)
    answers = await shop.say("/sprint status", "/sprint close")
    assert [answer.is_success for answer in answers] == [True, False]


async def test_a_command_without_a_feature_is_never_asked_for() -> None:
    shop = PaidDispatchHarness(DENIED)
    await shop.say("/sprint status")
    assert not any("entitled" in entry for entry in shop.log)


@pytest.mark.parametrize("level", [Level.READ, Level.TRIAGE])
async def test_who_may_not_is_refused_before_the_plan_is_looked_at(level: Level) -> None:
    shop = PaidDispatchHarness(DENIED, level)
    (answer,) = await shop.say("/sprint close")
    assert "needs the write role" in reply_texts([answer])[0]
    assert not any("entitled" in entry for entry in shop.log)


async def test_the_plan_comes_before_the_arguments() -> None:
    shop = PaidDispatchHarness(DENIED)
    (answer,) = await shop.say("/sprint close when:never")
    assert reply_texts([answer]) == [DENIED.text]


async def test_where_nothing_is_sold_everything_is_allowed() -> None:
    shop = PaidDispatchHarness(DENIED)
    request = make_request("/sprint close")
    (answer,) = await shop.dispatcher.answer(request, shop.build_environment(request))
    assert answer.is_success
