"""Where sprints are tracked: the settings that say so, and the step that remembers a thread."""

from collections.abc import Mapping

from commands.framework.changes import ChangeSetting

# The setting that says where a sprint is followed: a thread's number, `issue`, or `off`.
TRACKING = "tracking"


# The setting that keeps in which thread a sprint was begun that needed nothing but that.
THREADS = "threads"


def remembering(settings: Mapping[str, object], milestone: int, thread: int) -> ChangeSetting:
    """The step that remembers where a sprint is followed."""
    before = settings.get(THREADS)
    known = dict(before) if isinstance(before, Mapping) else {}
    return ChangeSetting(THREADS, before, known | {str(milestone): thread})
