"""Which release is a milestone's."""

import pytest

from sprints.model import ActivityEvent
from sprints.releases import Release, find_release
from tests.support.builders import at


def release(number: int, tag: object, name: object = None, when: str = "11-20") -> ActivityEvent:
    data = {"tag": tag, "name": name}
    return ActivityEvent("release", str(number), "published", at(when), f"r-{number}", data)


@pytest.mark.parametrize(
    ("title", "tag", "name"),
    [
        ("1.4", "1.4", None),
        ("1.4", "v1.4", None),
        ("v1.4", "1.4", None),
        (" V1.4 ", "v1.4", "Autumn"),
        ("Sprint 12", "2026-11", "sprint 12"),
        ("velvet", "velvet", None),
    ],
)
def test_it_is_called_like_the_milestone(title: str, tag: str, name: str | None) -> None:
    assert find_release(title, [release(1, "other"), release(2, tag, name)]) == Release(2, tag)


@pytest.mark.parametrize(
    ("title", "tag", "name"),
    [
        ("1.4", "1.4.1", None),
        ("1.4", "v1.4-rc1", None),
        ("elvet", "velvet", None),
        ("", "", ""),
        ("", 5, None),
    ],
)
def test_a_name_that_is_only_alike_is_another(title: str, tag: object, name: object) -> None:
    assert find_release(title, [release(1, tag, name)]) is None


def test_a_tag_goes_before_a_name_and_the_first_before_a_later_one() -> None:
    named, tagged = release(1, "x", "1.4", "11-01"), release(2, "v1.4", None, "11-20")
    assert find_release("1.4", [named, tagged]) == Release(2, "v1.4")
    assert find_release("1.4", [release(4, "v1.4", when="11-21"), tagged]) == Release(2, "v1.4")
