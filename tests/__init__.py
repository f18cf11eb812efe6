"""Tests enter by the front door: real payloads over HTTP, a real PostgreSQL, a stand-in GitHub."""

import pytest

# Assertions in helpers show their values, as those in test files do.
pytest.register_assert_rewrite("tests.support")
