"""Puts jobs back whose repository is busy with other changes."""

from procrastinate import RetryStrategy
from procrastinate.jobs import Job
from procrastinate.retry import RetryDecision

from bot.publishing.repository_locks import RepositoryBusyError


class RetryUnlessBusy(RetryStrategy):
    """Retries like procrastinate's strategy, and at any time after other changes.

    The job keeps its place in the queue, so that changes are made in the order in which they were requested.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Decide whether and when a job that has failed is tried again."""
        if isinstance(exception, RepositoryBusyError):
            return RetryDecision(retry_at=exception.retry_at)
        return super().get_retry_decision(exception=exception, job=job)
