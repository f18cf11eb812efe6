"""The mutation `minimizeComment`, by which a comment is hidden under the reason for it.

https://docs.github.com/en/graphql/reference/mutations#minimizecomment
"""

from __future__ import annotations

from typing import Any

from github_standin.graphql.objects import ForbiddenError, NotFoundError, QueryRoot
from github_standin.history.objects import StandInComment

Json = dict[str, Any]


def minimize_comment(root: QueryRoot, args: Json) -> Json:
    """Minimize a comment; minimizing it again only replaces the reason.

    Raises NotFoundError for a comment that does not exist, ForbiddenError without the right to write.
    """
    asked = args["input"]
    comment = root.node(asked["subjectId"])
    if not isinstance(comment, StandInComment):
        raise NotFoundError(f"Could not resolve to a node with the global id of '{asked['subjectId']}'")
    if not root.may_write(comment.repository):
        raise ForbiddenError("Resource not accessible by integration")
    comment.minimized = str(asked["classifier"]).lower().replace("_", "-")
    return {"clientMutationId": asked.get("clientMutationId"), "minimizedComment": comment}
