"""The command line: `python -m bot COMMAND`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand. Returns the exit status: 0, 1 (failed) or 2 (wrong use)."""
    options = parser().parse_args(arguments)
    if options.command == "demo":  # Loading takes seconds, during which the elapsed time is shown.
        options.ready = resolve_name("demo.waiting:print_elapsed_seconds")()
    # Imported only now, so that help and mistakes are answered without delay.
    status: int = resolve_name("bot.cli.run:run")(options)
    return status


def parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands; `run` names the function of each."""
    root = argparse.ArgumentParser(prog="python -m bot", description="Agile GitHub Suite")
    root.set_defaults(log_level=logging.INFO)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str, example: str, run: str) -> argparse.ArgumentParser:
        subcommand = commands.add_parser(
            name, help=summary, description=summary, epilog=f"Example: python -m bot {example}"
        )
        subcommand.set_defaults(run=run)
        return subcommand

    command = add(
        "serve",
        "Run the web server and a worker.",
        "serve --no-worker",
        "bot.cli.serve:serve",
    )
    command.add_argument(
        "--no-worker", action="store_true", help="run only the web server; run workers with `work`"
    )
    command = add("work", "Run a worker; start as many as you like.", "work", "bot.cli.work:work")
    command.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="also stop when standard input closes; for a process that starts the worker, such as `serve`",
    )
    add("migrate", "Migrate the database to this version.", "migrate", "bot.cli.run:migrate")
    command = add(
        "replay",
        "Send recorded deliveries to the webhook endpoint.",
        "replay history.jsonl",
        "bot.cli.replay:run",
    )
    command.add_argument("file", type=Path, help="one JSON object per line: event, delivery, payload")
    command.add_argument(
        "--url", help="address of a running server; by default one is started for the replay"
    )
    command.set_defaults(log_level=logging.ERROR)
    command = add(
        "facts",
        "Print a sprint's numbers as JSON.",
        "facts --repo acme/webshop --milestone 3",
        "bot.cli.facts:run",
    )
    command.add_argument("--repo", required=True, metavar="OWNER/NAME")
    command.add_argument("--milestone", required=True, type=int, metavar="NUMBER")
    command.add_argument("--as-of", metavar="TIME", help="ISO 8601, exclusive; default: now")
    command.add_argument("--timezone", metavar="IANA", help="default: the tenant's, else UTC")
    command.set_defaults(log_level=logging.ERROR)
    command = add(
        "backfill",
        "Read a repository's history from GitHub.",
        "backfill acme/webshop",
        "bot.cli.backfill:run",
    )
    command.add_argument("repository", metavar="OWNER/NAME")
    command.set_defaults(log_level=logging.ERROR)
    for name, summary, run in (
        ("plan", "Print an account's plan and how many seats it uses.", "bot.cli.account:plan"),
        ("usage", "Print an account's plan and this month's usage.", "bot.cli.account:usage"),
    ):
        command = add(name, summary, f"{name} --account acme --json", run)
        command.add_argument("--account", required=True, metavar="NAME", help="the account's name on GitHub")
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "plan":
            about = "print a link to Stripe's portal, for the owner only; valid for an hour"
            command.add_argument("--portal-link", action="store_true", help=about)
        command.set_defaults(log_level=logging.ERROR)
    add(
        "doctor", "Check the installation and say how to fix problems.", "doctor", "bot.cli.doctor:run"
    ).set_defaults(log_level=logging.ERROR)
    command = add("demo", "Try a sprint in a thread on a local page.", "demo", "demo.run:run")
    command.set_defaults(log_level=logging.WARNING)
    add("docs", "Regenerate the generated pages.", "docs", "bot.cli.docs:run")
    return root


if __name__ == "__main__":
    sys.exit(main())
