"""A delivery that arrives while its installation is bound to its account."""

import asyncio

import psycopg
from sqlalchemy.engine import make_url

from bot.services import Services
from bot.webhooks.delivery_writer import DeliveryWriter
from storage.deliveries import ReceivedDelivery, ReceiveOutcome

_BIND = """
insert into organizations (github_account_id, account_type, name, slug, github_installation_id)
values (7, 'Organization', 'acme', 'acme', 100)
"""
_IS_WAITING = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = %s)"


async def test_it_is_not_refused(base: Services) -> None:
    address = make_url(base.database_url).set(username="postgres", drivername="postgresql")
    text = address.render_as_string(hide_password=False)
    async with (
        await psycopg.AsyncConnection.connect(text) as binding,
        await psycopg.AsyncConnection.connect(text, autocommit=True) as watching,
    ):
        await binding.execute(_BIND)
        delivery = ReceivedDelivery(
            delivery="guid",
            event="milestone",
            action="created",
            installation=100,
            account=7,
            login="acme",
            account_type="Organization",
            repository=1,
            payload=b"{}",
        )
        storing = asyncio.create_task(DeliveryWriter(base.database, base.cipher).store(delivery))
        async with asyncio.timeout(10):
            while True:  # until the delivery has looked for its installation in vain
                row = await (await watching.execute(_IS_WAITING, [address.database])).fetchone()
                if row and row[0]:
                    break
                await asyncio.sleep(0.02)
        await binding.commit()

        assert await storing is ReceiveOutcome.STORED
