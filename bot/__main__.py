"""The command line: `python -m bot COMMAND`."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.exc import OperationalError

from bot import billing_command, docs, doctor, facts, logs, replay, serve
from bot.backfill import command as backfill
from bot.services import migrate
from bot.settings import Settings, SettingsError, load
from storage.schema import SchemaError

_NEEDS_GITHUB = {"serve", "work", "backfill"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, 1 (failed) or 2 (wrong use)."""
    options = _parser().parse_args(arguments)
    logs.configure(level=options.log_level)
    try:
        settings = load(os.environ, needs_github=options.command in _NEEDS_GITHUB)
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 2
    run: Callable[[Settings, argparse.Namespace], int] = options.run
    try:
        status = run(settings, options)
        sys.stdout.flush()
    except SchemaError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OperationalError as problem:
        print(f"the database cannot be reached: {str(problem.orig).strip()}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Agile GitHub Suite")
    parser.set_defaults(log_level=logging.INFO)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, example: str, run: Callable[..., int]) -> argparse.ArgumentParser:
        found = commands.add_parser(
            name, help=summary, description=summary, epilog=f"Example: python -m bot {example}"
        )
        found.set_defaults(run=run)
        return found

    found = add("serve", "The door and a worker in one process.", "serve --no-worker", serve.serve)
    found.add_argument("--no-worker", action="store_true", help="the door alone; run workers with `work`")
    add("work", "A worker alone; start as many as you like.", "work", serve.work)
    add("migrate", "Brings the database up to this version.", "migrate", _migrate)
    found = add("replay", "Sends recorded deliveries through the door.", "replay history.jsonl", replay.run)
    found.add_argument("file", type=Path, help="one JSON object a line: event, delivery, payload")
    found.add_argument("--url", help="a running door; else one is started for the replay")
    found.set_defaults(log_level=logging.ERROR)
    found = add("facts", "A sprint's numbers as JSON.", "facts --repo acme/webshop --milestone 3", facts.run)
    found.add_argument("--repo", required=True, metavar="OWNER/NAME")
    found.add_argument("--milestone", required=True, type=int, metavar="NUMBER")
    found.add_argument("--as-of", metavar="TIME", help="ISO 8601, exclusive; default now")
    found.add_argument("--timezone", metavar="IANA", help="default: the tenant's, else UTC")
    found.set_defaults(log_level=logging.ERROR)
    found = add("backfill", "Asks GitHub for a repository's past.", "backfill acme/webshop", backfill.run)
    found.add_argument("repository", metavar="OWNER/NAME")
    found.set_defaults(log_level=logging.ERROR)
    for name, summary, run in (
        ("plan", "What an account has bought, and how many seats it uses.", billing_command.plan),
        ("usage", "What an account has used this month.", billing_command.usage),
    ):
        found = add(name, summary, f"{name} --account acme --json", run)
        found.add_argument("--account", required=True, metavar="NAME", help="the account's name on GitHub")
        found.add_argument("--json", action="store_true", help="as JSON")
        if name == "plan":
            about = "a link to Stripe's portal, for the owner alone; good for an hour"
            found.add_argument("--portal-link", action="store_true", help=about)
        found.set_defaults(log_level=logging.ERROR)
    add("doctor", "What is wrong, and how to mend it.", "doctor", doctor.run).set_defaults(
        log_level=logging.ERROR
    )
    found = add("demo", "A sprint to try, in a thread on a local page.", "demo", _demo)
    found.set_defaults(log_level=logging.WARNING)
    add("docs", "Regenerates the generated pages.", "docs", docs.run)
    return parser


def _migrate(settings: Settings, _: argparse.Namespace) -> int:
    migrate(settings)
    print("The database is up to date.")
    return 0


def _demo(settings: Settings, _: argparse.Namespace) -> int:
    from bot.demo.run import demo  # noqa: PLC0415 - only the demo needs what the demo installs

    return asyncio.run(demo(settings))


if __name__ == "__main__":
    sys.exit(main())
