"""Our part of a release's text, between two invisible markers. All around it stays as people wrote it."""

from collections.abc import Awaitable, Callable

from bot.github import GitHubRefusedError, Installation
from bot.publish import cut
from storage.posts import Wanted

_TAKEN_OUT = 410


async def write_into_release(
    installation: Installation, repository: str, wanted: Wanted, keep_pace: Callable[[], Awaitable[None]]
) -> int:
    """Puts a post into its release, or edits it there; `keep_pace` is waited for before. Returns its id.

    Raises GitHubRefusedError where a person has taken our part out. GitHub has no way to edit a part: what
    somebody writes between our reading and our writing would be lost, and both are a moment apart.
    """
    release = int(wanted.post.data["release"])
    path = f"{repository}/releases/{release}"
    before = str((await installation.get(path)).get("body") or "")
    name = f"agile-github-suite:post:{wanted.id}"
    after = with_part(before, name, cut(wanted.post.body), was_there=wanted.external_id is not None)
    if after is None:
        raise GitHubRefusedError(_TAKEN_OUT, "somebody has taken the summary out of the release")
    if after != before:
        await keep_pace()
        await installation.patch(path, {"body": after})
    return release


def with_part(text: str, name: str, part: str, *, was_there: bool) -> str | None:
    """The text with our part in its place, or else at its end. None if it `was_there` and is not any more."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    ours = f"{begin}\n\n{part}\n\n{end}"
    head, has_begin, rest = text.partition(begin)
    _, has_end, tail = rest.partition(end)
    if has_begin and has_end:
        return f"{head}{ours}{tail}"
    if was_there or has_begin:
        return None
    return f"{text}\n\n{ours}" if text.strip() else ours
