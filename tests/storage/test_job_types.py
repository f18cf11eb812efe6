"""The messages of jobs as they lie in the queue."""

import msgspec

from storage.job_types import RedrawJob


def test_an_older_worker_can_run_the_usual_redraw() -> None:
    """Its function takes no `turn`."""
    job = RedrawJob(organization_id=1, project_id=3)
    assert msgspec.to_builtins(job) == {"organization_id": 1, "project_id": 3}
    assert msgspec.to_builtins(msgspec.structs.replace(job, turn="morning"))["turn"] == "morning"
