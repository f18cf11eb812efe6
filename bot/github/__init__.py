"""GitHub's API: client, tokens, rate limits, threads, repositories and check runs."""
