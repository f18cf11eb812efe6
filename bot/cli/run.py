"""Runs a subcommand, and turns failures into a sentence and an exit status."""

import argparse
import os
import sys
from collections.abc import Callable
from pkgutil import resolve_name

import psycopg
from sqlalchemy.exc import OperationalError

from bot import logs, services
from bot.settings import Settings, SettingsError, load
from storage.embedded import BundledServerMissingError
from storage.schema import MissingSettingError, SchemaError

_NEEDS_GITHUB = {"serve", "work", "backfill"}
# How log lines name the processes of commands that run until they are stopped.
_PROCESSES = {"serve": "web", "work": "worker"}


def run(options: argparse.Namespace) -> int:
    """Run the function that `options.run` names as `module:function`. Returns its exit status."""
    logs.configure(level=options.log_level, process=_PROCESSES.get(options.command))
    try:
        settings = load(
            os.environ, needs_github=options.command in _NEEDS_GITHUB, runs_worker=_runs_worker(options)
        )
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 2
    try:
        command: Callable[[Settings, argparse.Namespace], int] = resolve_name(options.run)
        status = command(settings, options)
        sys.stdout.flush()
    except (BundledServerMissingError, MissingSettingError) as problem:
        print(problem, file=sys.stderr)
        return 2
    except ModuleNotFoundError as problem:
        if options.command != "demo":  # All other commands need nothing but the run-time requirements.
            raise
        print(f"The demo needs the package {problem.name}. Start it with `make demo`.", file=sys.stderr)
        return 2
    except SchemaError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OperationalError as problem:
        print(f"the database cannot be reached: {str(problem.orig).strip()}", file=sys.stderr)
        return 1
    except psycopg.OperationalError as problem:  # Of the queue's connections.
        print(f"the database cannot be reached: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # The reader, such as `head`, has closed the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _runs_worker(options: argparse.Namespace) -> bool:
    match options.command:
        case "serve":
            return not options.no_worker
        case "replay":
            return not options.url
        case command:
            return bool(command == "work")


def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Migrate the database to this version's schema."""
    services.migrate_database(settings)
    print("The database is up to date.")
    return 0
