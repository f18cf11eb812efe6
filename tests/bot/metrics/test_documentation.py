"""docs/monitoring.md lists every metric of the service, and names no other one."""

import re
from pathlib import Path

from bot.cli.metrics import metrics_page
from bot.services import Services

TEXT = (Path(__file__).parents[3] / "docs/monitoring.md").read_text(encoding="utf-8")
KINDS = {"counter", "gauge", "histogram"}


async def test_each_metric_has_a_row_with_its_kind(base: Services) -> None:
    async with metrics_page(base) as page:
        output = (await page.render()).decode()
    exposed = dict(re.findall(r"^# TYPE (agile_\w+) (\w+)$", output, re.MULTILINE))
    documented = dict(re.findall(r"^\| `(agile_\w+)` \| (\w+)", TEXT, re.MULTILINE))
    assert documented == exposed
    assert set(exposed.values()) == KINDS


def test_the_examples_name_documented_metrics() -> None:
    documented = set(re.findall(r"^\| `(agile_\w+)` \|", TEXT, re.MULTILINE))
    examples = "\n".join(re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
    used = {name.removesuffix("_bucket") for name in re.findall(r"\bagile_\w+", examples)}
    assert used
    assert used <= documented
