"""What Prometheus reads of a running bot."""

from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.settings import Secret
from bot.settings.metrics import MetricsSettings

TOKEN = "a-token-of-the-tests"
ON_WEB_PORT = MetricsSettings(token=Secret(TOKEN))


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """Each series of the bot's own metrics: its name and its labels."""
        return {(name, labels) for name, labels in self._samples if name.startswith("agile_")}

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self._samples}

    def get(self, name: str, **labels: str) -> float | None:
        """Return the value of a series. None if there is no such series."""
        return self._samples.get((name, frozenset(labels.items())))

    def by(self, name: str, *labels: str) -> Mapping[tuple[str, ...], float]:
        """Return the values of all series of a name, by the values of their labels."""
        return {
            tuple(dict(series)[label] for label in labels): value
            for (sample, series), value in self._samples.items()
            if sample == name and value
        }


async def scrape(session: aiohttp.ClientSession, url: str, token: str = TOKEN) -> Scrape:
    """Read the metrics of a running bot, as Prometheus does."""
    headers = {"Authorization": f"Bearer {token}"}
    async with session.get(f"{url}/metrics", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/plain"
        return Scrape(await response.text())
