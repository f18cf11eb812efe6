"""One stand-in for all tests of this folder; each test makes a repository of its own."""

from tests.support.standin import alice, app, ask, chromium, github, inbox, openapi, repo, shared_github

__all__ = ["alice", "app", "ask", "chromium", "github", "inbox", "openapi", "repo", "shared_github"]
