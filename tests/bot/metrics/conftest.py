"""Settings that show the metrics on the web server."""

from dataclasses import replace

import pytest

from bot.settings import Settings
from tests.support.scraping import ON_WEB_PORT


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a token for the metrics."""
    return replace(settings, metrics=ON_WEB_PORT)
