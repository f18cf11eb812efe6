"""GitHub as the App sees it: client, tokens, rate limits, threads, repositories and check runs."""
