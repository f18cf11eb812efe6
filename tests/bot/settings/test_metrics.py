"""Settings of `GET /metrics`."""

import pytest

from bot.settings import SettingsError, load
from bot.settings.metrics import MetricsSettings

TOKEN = "0123456789abcdef"


def test_metrics_are_served_nowhere_by_default() -> None:
    metrics = load({}, needs_github=False).metrics
    assert metrics == MetricsSettings()
    assert not metrics.is_on_web_port
    assert metrics.worker_port is None


def test_a_token_opens_the_route_on_the_web_server() -> None:
    metrics = load({"METRICS_TOKEN": TOKEN}, needs_github=False).metrics
    assert metrics.token is not None
    assert metrics.token.reveal() == TOKEN
    assert metrics.is_on_web_port
    assert TOKEN not in repr(metrics)


def test_a_port_of_their_own_listens_on_this_machine_alone() -> None:
    metrics = load({"METRICS_PORT": "9100", "HOST": "0.0.0.0"}, needs_github=False).metrics
    assert (metrics.host, metrics.port, metrics.worker_port) == ("127.0.0.1", 9100, 9101)
    assert not metrics.is_on_web_port


def test_another_address_must_be_named() -> None:
    environment = {"METRICS_PORT": "9100", "METRICS_HOST": "10.0.0.7", "METRICS_TOKEN": TOKEN}
    metrics = load(environment, needs_github=False).metrics
    assert metrics.host == "10.0.0.7"
    assert not metrics.is_on_web_port


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"METRICS_PORT": "many"}, "METRICS_PORT is “many”; it must be a port number, such as 9100"),
        ({"METRICS_PORT": "0"}, "METRICS_PORT is “0”; it must be a port number, such as 9100"),
        ({"METRICS_PORT": "65535"}, "METRICS_PORT must be at most 65534"),
        ({"METRICS_PORT": "8080"}, "PORT is 8080, so choose another METRICS_PORT"),
        ({"METRICS_PORT": "8079"}, "METRICS_PORT is 8079, and `serve` also uses 8080 for its worker"),
        ({"METRICS_HOST": "10.0.0.7"}, "METRICS_HOST has no effect without METRICS_PORT"),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN must have 16 to 200 characters"),
        ({"METRICS_TOKEN": "with spaces in between"}, "METRICS_TOKEN must have 16 to 200 characters"),
    ],
)
def test_a_mistake_is_one_clear_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as problem:
        load(environment, needs_github=False)
    assert sentence in str(problem.value)
    assert len(str(problem.value).splitlines()) == 2


def test_a_malformed_token_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as problem:
        load({"METRICS_TOKEN": "hunter2"}, needs_github=False)
    assert "hunter2" not in str(problem.value)
