"""The causes of a change of scope, in the order of the ledger, with their names and signs for people."""

from sprints.facts import ScopeCause

CAUSES = (
    ("Added", ScopeCause.ADDED, "+"),
    ("Removed", ScopeCause.REMOVED, "−"),
    ("Dropped", ScopeCause.DROPPED, "−"),
    ("Re-estimated", ScopeCause.REESTIMATED, "±"),
)
