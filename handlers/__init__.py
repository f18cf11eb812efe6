"""From webhook events to what they mean: one file for each event, and the table that says which."""

from collections.abc import Mapping

from handlers.delivery import Handler
from handlers.issue_comment import find_commands, record_comment
from handlers.issues import record_issue
from handlers.milestone import record_milestone
from handlers.pull_request import record_pull_request

_ITEM_ACTIONS = ("opened", "closed", "reopened", "milestoned", "demilestoned", "labeled", "unlabeled")
_MILESTONE_ACTIONS = ("created", "edited", "closed", "opened", "deleted")

# What the door takes in, and who makes what of it, in this order. `app.yml` is tested against it.
ROUTES: Mapping[tuple[str, str | None], tuple[Handler, ...]] = {
    **{("issues", action): (record_issue,) for action in _ITEM_ACTIONS},
    **{("pull_request", action): (record_pull_request,) for action in _ITEM_ACTIONS},
    **{("milestone", action): (record_milestone,) for action in _MILESTONE_ACTIONS},
    ("issue_comment", "created"): (record_comment, find_commands),
    ("issue_comment", "edited"): (find_commands,),
}
