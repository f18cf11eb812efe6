"""Hostile titles link, mention, close and hide nothing in answers and reports."""

import re

from demo.markdown import render
from tests.support.changes import query_database
from tests.support.running import Bot

BIDI = "\u202e\u2066\u200b\u00ad"
TEXT = f"{BIDI}Pay http://evil.example www.evil.example me@evil.example @mallory fixes #1 `x` **b** | <img src=x>"
LABEL = "@mallory www.evil.example"
COMMANDS = (
    *("/sprint status", "/sprint scope", "/sprint list", "/sprint plan", "/burndown", "/burnup", "/cfd"),
    *("/explain scope", "/explain remaining", "/forecast", "/standup", "/my", "/aging", "/sprint retro"),
    *("/sprint report", "/velocity", "/throughput", "/cycletime", "/calendar", "/agile config"),
    *("/agile health", "/sprint close", "/summary", "/sprint goal missed", "/agile audit", "/agile undo"),
    *(
        f'/sprint status for:"{LABEL}"',
        f"/sprint close to:{LABEL}",
        f"/explain `{LABEL}`",
        "/blocked x",
        "/eta",
    ),
    *(f"/agile config set sizes.{LABEL} 5", f"/agile bogus {LABEL}", f"/estimate 5 x:{LABEL}", "/unblocked"),
)


async def test_of_hostile_words_nothing_takes_effect(bot: Bot) -> None:
    github, repo = bot.github, bot.repo
    milestone = await github.create_milestone(
        repo, TEXT, due_on="2030-12-08T12:00:00Z", description=f"Goal: {TEXT}\nStart: 2026-11-01"
    )
    number = milestone["number"]
    for title in (TEXT, f"{TEXT} 2"):
        issue = await github.create_issue(
            repo, title, labels=[LABEL, "points: 3"], milestone=number, assignees=["bob"], as_user="mallory"
        )
    await github.close_issue(repo, issue["number"])
    await bot.rest()
    thread = issue["number"] - 1
    await bot.say(thread, f"/blocked {TEXT}")
    lines = [f"{typed} new:yes" for typed in COMMANDS]
    for begin in range(0, len(lines), 8):
        await bot.say(thread, "\n\n".join(lines[begin : begin + 8]))

    # What was edited away counts as well.
    replies = await query_database(bot, "select body from outbox where kind = 'reply'")
    answers = [row.body for row in replies] + await bot.answers(thread)
    assert len(replies) >= 25
    assert any("Pay http" in answer.replace("\u200b", "") for answer in answers)
    for answer in answers:
        html = render(answer, repo)
        assert not [link for link in re.findall(r'(?:href|src)="([^"]*)"', html) if "evil" in link], answer
        assert not re.search(r'src="(?!http://127\.0\.0\.1)', html), answer
        assert "<strong>b</strong>" not in html
        text = re.sub(r"<code>.*?</code>|<[^>]*>", " ", html, flags=re.DOTALL)
        assert not re.search(r"@mallory|http://evil|www\.evil|me@evil|fixes #1", text), answer
        assert not set(answer) & set("\u202e\u2066\u00ad"), answer
