"""The step that stores the thread in which a sprint is tracked."""

from commands.framework.changes import ChangeSetting
from storage.projects import Project

# The key of the setting with threads of sprints, by GitHub's id of the milestone.
_THREADS = "threads"


def remember_thread_step(project: Project, milestone: int, thread: int) -> ChangeSetting:
    """The step that stores the thread in which a sprint is tracked."""
    before = project.stored_settings.get(_THREADS)
    threads = dict(before) if isinstance(before, dict) else {}
    return ChangeSetting(_THREADS, before, threads | {str(milestone): thread})
