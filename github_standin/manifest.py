"""The App's manifest: the permissions and events in `app.yml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_PATH = Path(__file__).resolve().parents[1] / "app.yml"


@dataclass(frozen=True, slots=True)
class AppManifest:
    """The App's permissions, each with its level, and the names of its webhook events."""

    permissions: Mapping[str, str]
    events: tuple[str, ...]


@cache
def read_manifest() -> AppManifest:
    """Read `app.yml`, which lies at the root of the repository."""
    content = yaml.safe_load(_PATH.read_text(encoding="utf-8"))
    return AppManifest(content["default_permissions"], tuple(content["default_events"]))
