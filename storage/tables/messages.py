"""Tables of the bot's messages and actions on GitHub: answers, posts, charts, changes."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.tables.base import NOW, moment_column, project_key, reference, tenant_table

# The outbox of answers: written in the answer's transaction, sent afterwards by bot/publishing/outbox.py.
# `slot` names what the answer is about within its thread, so that asking again edits it; `comment_id` is
# GitHub's. A reply that `is_new` is never an edit. `comment_at` is when GitHub created the comment,
# `reposted_at` when the slot last got a new comment in place of an earlier one, `change_id` the change whose
# preview it shows, and `failures` are the commands that failed, each with its text.
outbox = tenant_table(
    "outbox",
    *project_key(),
    Column("event_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("thread", Integer, nullable=False),
    Column("slot", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False),
    Column("comment_id", BigInteger),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("refused", Text),
    moment_column("sent_at"),
    Column("is_new", Boolean, nullable=False, server_default=text("false")),
    moment_column("comment_at"),
    moment_column("reposted_at"),
    Column("change_id", BigInteger),
    Column("failures", JSONB),
    reference("event_id", "github_events"),
    UniqueConstraint("organization_id", "event_id", "position"),
    Index("outbox_by_slot", "organization_id", "project_id", "thread", "slot"),
    Index("outbox_by_time", "organization_id", text("created_at")),
)

_UNSENT = "not is_gone and not is_withdrawn and (sent_at is null or sent_at < wanted_at)"

# Posts that are kept up to date: a sprint's sticky comment, a summary, a check. `body` and `data` are the
# desired content, `sent` is a digest of what GitHub has, `external_id` its id there. `sent_as` is the version
# that GitHub accepted last, `attempted` are texts of later attempts without an answer. A post that `is_gone`
# was deleted by a person, and is not posted again.
posts = tenant_table(
    "posts",
    *project_key(),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("thread", Integer),
    Column("body", Text, nullable=False),
    Column("data", JSONB, nullable=False, server_default=text("'{}'")),
    moment_column("wanted_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("external_id", BigInteger),
    Column("sent", Text),
    moment_column("sent_at"),
    Column("is_gone", Boolean, nullable=False, server_default=text("false")),
    Column("refused", Text),
    moment_column("refused_at"),
    Column("is_withdrawn", Boolean, nullable=False, server_default=text("false")),
    Column("sent_as", JSONB),
    Column("attempted", JSONB),
    UniqueConstraint("organization_id", "project_id", "key"),
    Index("posts_sent", "organization_id", "sent_at"),
    Index("posts_to_send", "organization_id", postgresql_where=text(f"refused is null and {_UNSENT}")),
    Index("posts_about_billing", "organization_id", postgresql_where=text("key like 'billing:%'")),
)

# Rendered charts, under an unguessable name that depends on the content and the repository. `shared_with` are
# the other repositories whose work a chart shows. The `png` of charts unused for long is dropped, and drawn
# again from `inputs`.
chart_files = tenant_table(
    "chart_files",
    *project_key(),
    Column("shared_with", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("token", Text, nullable=False, unique=True),
    Column("content_key", Text, nullable=False),
    Column("png", LargeBinary),
    Column("inputs", LargeBinary),
    moment_column("used_at", nullable=False, server_default=NOW),
    UniqueConstraint("organization_id", "project_id", "content_key"),
    Index("chart_files_by_use", "organization_id", "used_at", postgresql_where=text("png is not null")),
)

# Changes that commands proposed or applied, one for each line of an event; for `steps` see
# commands/framework/changes.py.
changes = tenant_table(
    "changes",
    *project_key(),
    Column("event_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("thread", Integer, nullable=False),
    Column("command", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("done", Text, nullable=False),
    Column("undoes", BigInteger),
    Column("state", Text, nullable=False),
    Column("note", Text),
    Column("decided_by", Text),
    moment_column("decided_at"),
    moment_column("finished_at"),
    reference("event_id", "github_events"),
    UniqueConstraint("organization_id", "event_id", "line"),
    Index("changes_by_thread", "organization_id", "project_id", "thread", "id"),
    Index("changes_by_end", "organization_id", "project_id", "finished_at"),
    Index("changes_in_progress", "organization_id", "project_id", postgresql_where=text("state = 'begun'")),
)

# The steps of changes that other changes undid (`undo_id`), by which their events are recognized in the
# history of `item` (sprints/undone.py). `app` is the login under which GitHub shows what we change.
undone_steps = tenant_table(
    "undone_steps",
    *project_key(),
    Column("item", Text, nullable=False),
    Column("change_id", BigInteger, nullable=False),
    Column("undo_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("is_milestone", Boolean, nullable=False),
    Column("app", Text, nullable=False),
    Column("done", JSONB, nullable=False),
    Column("undone", JSONB, nullable=False),
    reference("change_id", "changes"),
    reference("undo_id", "changes"),
    UniqueConstraint("organization_id", "undo_id", "position"),
    Index("undone_steps_by_item", "organization_id", "item"),
    Index("undone_steps_of_milestones", "organization_id", postgresql_where=text("is_milestone")),
)

# Who did what, for ever: the application may add and read.
audit_log = tenant_table(
    "audit_log",
    *project_key(nullable=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    moment_column("at", nullable=False),
    Index("audit_log_by_time", "organization_id", text("at desc")),
)
