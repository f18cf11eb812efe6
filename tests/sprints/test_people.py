"""Who is a person, by the login that history knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.people import account_login, is_bot, is_person, remove_duplicate_logins, same_login

LOGINS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})", fullmatch=True)


@pytest.mark.parametrize("login", ["ghost", "Ghost", "web-flow", "Copilot", "dependabot[bot]", "", None])
def test_these_are_no_persons(login: str | None) -> None:
    assert not is_person(login)


@given(LOGINS, st.sampled_from(["Bot", "Mannequin", "Organization"]))
def test_what_is_no_user_is_no_person(login: str, kind: str) -> None:
    name = account_login(login, kind)
    assert is_bot(name)
    assert not is_person(name)
    assert account_login(name, kind) == name


@given(LOGINS.filter(lambda login: login.lower() not in {"ghost", "web-flow", "copilot"}))
def test_every_user_is_a_person(login: str) -> None:
    for kind in ("User", "EnterpriseUserAccount"):
        assert account_login(login, kind) == login
        assert is_person(login)
    assert same_login(login, login.upper())


@given(st.lists(LOGINS))
def test_each_login_once_in_the_first_spelling(logins: list[str]) -> None:
    once = remove_duplicate_logins(logins)
    assert [login.lower() for login in once] == list(dict.fromkeys(login.lower() for login in logins))
    assert all(login in logins for login in once)
