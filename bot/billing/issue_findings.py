"""For `doctor`: owners who have something to hear about money or data, and are not reached."""

from collections.abc import AsyncIterator

from bot.billing.issue_posts import read_scene
from bot.billing.purchase_links import PurchaseLinks
from bot.services import Services
from marketplace.notices import NoticeKind


async def unreached_owners(base: Services, organization_id: int) -> AsyncIterator[str]:
    """What an account's owner was not told, and why. Deletions have a finding of their own.

    Whoever has switched the billing issue off is asked for no more.
    """
    shop = PurchaseLinks(base.settings.billing, base.settings.public_url, base.cipher)
    try:
        async with base.database.tenant(organization_id) as tenant:
            scene = await read_scene(tenant, base.clock(), shop)
    except Exception as problem:  # noqa: BLE001 - what is wrong with one account must not hide the others
        yield f"what its owner has to hear of billing cannot be read ({type(problem).__name__})"
        return
    if scene is None or scene.is_off:
        return
    heard = {key for billing_post in scene.posts if billing_post.is_gone for key in billing_post.notices}
    heard |= {
        key
        for billing_post in scene.posts
        if not billing_post.is_withdrawn
        for key in billing_post.sent_notices
    }
    unheard = [
        notice.kind.value
        for notice in scene.notices
        if notice.kind is not NoticeKind.DELETION and notice.key not in heard
    ]
    if not unheard:
        return
    account = scene.billing.account
    if account.installation is None:
        why = "the App is not installed there"
    elif account.suspended_at is not None:
        why = "the App is suspended there"
    elif not scene.places:
        why = "it has no private repository in which the App may open an issue"
    else:
        return  # The billing issue is on its way, and what GitHub refuses is a finding of its own.
    yield (
        f"{account.name} has not been told of {' and '.join(unheard)}, because {why}; write to its owner "
        "(docs/billing.md)"
    )
