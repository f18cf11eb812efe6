"""The worker and its jobs: processing events, answering commands, periodic tasks, retention."""
