"""The command line: `python -m bot COMMAND`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, 1 (failed) or 2 (wrong use)."""
    options = parser().parse_args(arguments)
    if options.command == "demo":  # Loading takes seconds, and who tries the bot waits for it.
        options.ready = resolve_name("demo.waiting:print_elapsed_seconds")()
    # Loaded only now, so that help and mistakes are answered at once.
    status: int = resolve_name("bot.cli.run:run")(options)
    return status


def parser() -> argparse.ArgumentParser:
    """All commands; of each, `run` names what runs it."""
    whole = argparse.ArgumentParser(prog="python -m bot", description="Agile GitHub Suite")
    whole.set_defaults(log_level=logging.INFO)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, example: str, run: str) -> argparse.ArgumentParser:
        found = commands.add_parser(
            name, help=summary, description=summary, epilog=f"Example: python -m bot {example}"
        )
        found.set_defaults(run=run)
        return found

    found = add("serve", "The door and a worker in one process.", "serve --no-worker", "bot.cli.serve:serve")
    found.add_argument("--no-worker", action="store_true", help="the door alone; run workers with `work`")
    add("work", "A worker alone; start as many as you like.", "work", "bot.cli.serve:work")
    add("migrate", "Brings the database up to this version.", "migrate", "bot.cli.run:migrate")
    found = add(
        "replay", "Sends recorded deliveries through the door.", "replay history.jsonl", "bot.cli.replay:run"
    )
    found.add_argument("file", type=Path, help="one JSON object a line: event, delivery, payload")
    found.add_argument("--url", help="a running door; else one is started for the replay")
    found.set_defaults(log_level=logging.ERROR)
    found = add(
        "facts", "A sprint's numbers as JSON.", "facts --repo acme/webshop --milestone 3", "bot.cli.facts:run"
    )
    found.add_argument("--repo", required=True, metavar="OWNER/NAME")
    found.add_argument("--milestone", required=True, type=int, metavar="NUMBER")
    found.add_argument("--as-of", metavar="TIME", help="ISO 8601, exclusive; default now")
    found.add_argument("--timezone", metavar="IANA", help="default: the tenant's, else UTC")
    found.set_defaults(log_level=logging.ERROR)
    found = add(
        "backfill",
        "Asks GitHub for a repository's past.",
        "backfill acme/webshop",
        "bot.cli.backfill:run",
    )
    found.add_argument("repository", metavar="OWNER/NAME")
    found.set_defaults(log_level=logging.ERROR)
    for name, summary, run in (
        ("plan", "What an account has bought, and how many seats it uses.", "bot.cli.account:plan"),
        ("usage", "What an account has used this month.", "bot.cli.account:usage"),
    ):
        found = add(name, summary, f"{name} --account acme --json", run)
        found.add_argument("--account", required=True, metavar="NAME", help="the account's name on GitHub")
        found.add_argument("--json", action="store_true", help="as JSON")
        if name == "plan":
            about = "a link to Stripe's portal, for the owner alone; good for an hour"
            found.add_argument("--portal-link", action="store_true", help=about)
        found.set_defaults(log_level=logging.ERROR)
    add("doctor", "What is wrong, and how to mend it.", "doctor", "bot.cli.doctor:run").set_defaults(
        log_level=logging.ERROR
    )
    found = add("demo", "A sprint to try, in a thread on a local page.", "demo", "demo.run:run")
    found.set_defaults(log_level=logging.WARNING)
    add("docs", "Regenerates the generated pages.", "docs", "bot.cli.docs:run")
    return whole


if __name__ == "__main__":
    sys.exit(main())
