"""Handlers of webhook events: one file for each event, and the table of routes."""

from collections.abc import Mapping

from handlers.check_run import handle_check_run
from handlers.check_suite import handle_check_suite
from handlers.comment_commands import find_commands
from handlers.delivery import Delivery, Handler, Outcome, UnusableError
from handlers.deployment_status import record_deployment_status
from handlers.installation import (
    record_account_renamed,
    record_installation,
    record_installation_repositories,
)
from handlers.issue_comment import record_comment
from handlers.issue_dependencies import record_dependency
from handlers.issue_fields import record_issue_field
from handlers.issues import record_issue
from handlers.label import record_label
from handlers.merge_group import handle_merge_group
from handlers.milestone import record_milestone
from handlers.projects_v2 import record_project
from handlers.projects_v2_item import record_project_item
from handlers.pull_request import record_pull_request
from handlers.pull_request_review import record_review
from handlers.push import detect_settings_change, record_push
from handlers.release import record_release
from handlers.repository import record_repository
from handlers.review_request import record_review_request
from handlers.sub_issues import record_sub_issue
from handlers.unlocking import handle_unlocked

_ITEM = (
    *("opened", "edited", "closed", "reopened", "assigned", "unassigned"),
    *("milestoned", "demilestoned", "labeled", "unlabeled"),
)
_ISSUE = (*_ITEM, "transferred", "deleted", "typed", "untyped", "status_changed")
_PULL_REQUEST = (*_ITEM, "synchronize", "ready_for_review", "converted_to_draft")
_REVIEW_REQUEST = ("review_requested", "review_request_removed")
# Not `reordered`: an item that is dragged within a list changes no field of it.
_PROJECT_ITEM = ("created", "edited", "archived", "restored", "converted", "deleted")
_PROJECT = ("created", "edited", "closed", "reopened", "deleted")
_MILESTONE = ("created", "edited", "closed", "opened", "deleted")
_SUB_ISSUES = ("parent_issue_added", "parent_issue_removed", "sub_issue_added", "sub_issue_removed")
_DEPENDENCIES = ("blocked_by_added", "blocked_by_removed", "blocking_added", "blocking_removed")
_REPOSITORY = ("renamed", "transferred", "archived", "unarchived", "deleted", "privatized", "publicized")
_INSTALLATION = ("created", "deleted", "suspend", "unsuspend", "new_permissions_accepted")

# The events that the webhook endpoint accepts, and their handlers in order. A test compares `app.yml`.
ROUTES: Mapping[tuple[str, str | None], tuple[Handler, ...]] = {
    **{("issues", action): (record_issue,) for action in _ISSUE},
    **{("issues", action): (record_issue, find_commands) for action in ("opened", "edited")},
    **{("pull_request", action): (record_pull_request,) for action in _PULL_REQUEST},
    **{("pull_request", action): (record_pull_request, find_commands) for action in ("opened", "edited")},
    **{("pull_request", action): (record_review_request,) for action in _REVIEW_REQUEST},
    **{(event, "unlocked"): (handle_unlocked,) for event in ("issues", "pull_request")},
    **{("milestone", action): (record_milestone,) for action in _MILESTONE},
    **{("label", action): (record_label,) for action in ("edited", "deleted")},
    **{("sub_issues", action): (record_sub_issue,) for action in _SUB_ISSUES},
    **{("issue_dependencies", action): (record_dependency,) for action in _DEPENDENCIES},
    **{("issues", action): (record_issue_field,) for action in ("field_added", "field_removed")},
    **{("projects_v2_item", action): (record_project_item,) for action in _PROJECT_ITEM},
    **{("projects_v2", action): (record_project,) for action in _PROJECT},
    ("pull_request_review", "submitted"): (record_review, find_commands),
    ("pull_request_review", "edited"): (find_commands,),
    ("pull_request_review", "dismissed"): (record_review,),
    **{("repository", action): (record_repository,) for action in _REPOSITORY},
    **{("installation", action): (record_installation,) for action in _INSTALLATION},
    **{
        ("installation_repositories", action): (record_installation_repositories,)
        for action in ("added", "removed")
    },
    ("installation_target", "renamed"): (record_account_renamed,),
    ("push", None): (record_push, detect_settings_change),
    ("deployment_status", "created"): (record_deployment_status,),
    ("release", "published"): (record_release,),
    ("issue_comment", "created"): (record_comment, find_commands),
    ("issue_comment", "edited"): (find_commands,),
    ("pull_request_review_comment", "created"): (find_commands,),
    ("pull_request_review_comment", "edited"): (find_commands,),
    **{("check_run", action): (handle_check_run,) for action in ("requested_action", "rerequested")},
    ("check_suite", "rerequested"): (handle_check_suite,),
    # A group that was destroyed needs nothing: its check has been reported.
    ("merge_group", "checks_requested"): (handle_merge_group,),
}


def handle(delivery: Delivery) -> tuple[list[Outcome], list[UnusableError]]:
    """Run all handlers of a delivery's event. Returns their outcomes, and why some of them had none.

    Raises UnusableError if all of them failed.
    """
    outcomes, problems = list[Outcome](), list[UnusableError]()
    for handler in ROUTES.get((delivery.event, delivery.action), ()):
        try:
            outcomes += list(handler(delivery))
        except UnusableError as problem:
            problems.append(problem)
    if problems and not outcomes:
        raise problems[0]
    return outcomes, problems
