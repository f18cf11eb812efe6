"""Findings for `doctor`: owners with notices about money or data whom the billing issue does not reach."""

from collections.abc import AsyncIterator

from bot.billing.issue_posts import load_issue_state
from bot.billing.purchase_links import PurchaseLinks
from bot.services import Services
from marketplace.notices import NoticeKind


async def find_unreached_owners(services: Services, organization_id: int) -> AsyncIterator[str]:
    """Yield the notices that an account's owner has not received, and why.

    Deletions have a finding of their own. Accounts that switched the billing issue off are left out.
    """
    offer = PurchaseLinks(services.settings.billing, services.settings.public_url, services.cipher)
    try:
        async with services.database.tenant(organization_id) as tenant:
            state = await load_issue_state(tenant, services.clock(), offer)
    except Exception as problem:  # noqa: BLE001 - a failure for one account must not hide the others
        yield f"its billing notices cannot be read ({type(problem).__name__})"
        return
    if state is None or state.is_off:
        return
    announced_keys = {
        key for billing_post in state.posts if billing_post.is_gone for key in billing_post.notices
    }
    announced_keys |= {
        key
        for billing_post in state.posts
        if not billing_post.is_withdrawn
        for key in billing_post.sent_notices
    }
    unannounced = [
        notice.kind.value
        for notice in state.notices
        if notice.kind is not NoticeKind.DELETION and notice.key not in announced_keys
    ]
    if not unannounced:
        return
    account = state.billing.account
    if account.installation is None:
        reason = "the App is not installed there"
    elif account.suspended_at is not None:
        reason = "the App is suspended there"
    elif not state.candidates:
        reason = "it has no private repository in which the App may open an issue"
    else:
        return  # The billing issue is still being posted; a refusal by GitHub has a finding of its own.
    yield (
        f"the owner of {account.name} has not been notified of {' and '.join(unannounced)}, because "
        f"{reason}; write to them (docs/billing.md)"
    )
