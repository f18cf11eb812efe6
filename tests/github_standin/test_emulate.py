"""emulate as a child process."""

from __future__ import annotations

import pytest

from github_standin import emulate
from github_standin.github import StandInGitHub


async def test_two_that_want_the_same_port_do_not_share_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    find_port, ports = emulate.free_port, list[int]()

    def find_taken_port_once() -> int:
        ports.append(ports[0] if len(ports) == 1 else find_port())
        return ports[-1]

    monkeypatch.setattr(emulate, "free_port", find_taken_port_once)
    async with StandInGitHub() as first, StandInGitHub() as second:
        await second.create_repository(name="only-here")
        assert (await second.call("GET", "/repos/acme/only-here"))["name"] == "only-here"
        with pytest.raises(Exception, match="404"):
            await first.call("GET", "/repos/acme/only-here")
