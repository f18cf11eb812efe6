-- As in 0006, but a delivery is not refused because its installation was bound to its account while it arrived.
create or replace function assign_tenant(delivery public.received_delivery) returns public.received_delivery
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    bound public.organizations; -- Whose installation it is, as far as we know.
    owner public.organizations; -- Whose account it is about.
begin
    delivery.is_refused := false;
    select * into bound from public.organizations where github_installation_id = delivery.installation;
    if bound.id is not null then
        delivery.tenant := bound.id;
        delivery.is_refused := coalesce(delivery.account <> bound.github_account_id, false);
    elsif delivery.account is not null then
        delivery.tenant :=
            public.tenant_of_account_or_new(delivery.account, delivery.login, delivery.account_type);
        select * into owner from public.organizations where id = delivery.tenant;
        if delivery.installation is null or (delivery.event = 'installation' and delivery.action = 'deleted')
            or delivery.installation = any (owner.former_installations)
        then
            return delivery; -- What comes late from an installation that is gone does not bring it back.
        elsif delivery.event = 'installation'
            and delivery.action in ('created', 'suspend', 'unsuspend', 'new_permissions_accepted')
        then
            -- A reinstallation gets a new id, and is not suspended as the old one may have been; the account
            -- keeps its history.
            update public.organizations
            set github_installation_id = delivery.installation,
                former_installations = public.former_installations_after(
                    former_installations, github_installation_id, delivery.installation
                ),
                suspended_at = null, updated_at = public.app_now()
            where id = delivery.tenant;
            delete from public.installation_claims
            where organization_id = delivery.tenant and installation = delivery.installation
                and account = delivery.account;
            -- If events came in the wrong order, the replaced one is the present one: GitHub is asked.
            insert into public.installation_claims (organization_id, installation, account, login, delivery_id)
            select
                owner.id, owner.github_installation_id, delivery.account, coalesce(delivery.login, ''),
                delivery.delivery
            where owner.github_installation_id is not null
            on conflict (organization_id, installation, account) do update
                set delivery_id = excluded.delivery_id, claimed_at = public.app_now();
            return delivery;
        end if;
        -- Since the first look, a transaction may have bound this installation to this account.
        delivery.is_refused := coalesce(owner.github_installation_id <> delivery.installation, false);
    end if;
    if delivery.is_refused or (bound.id is null and delivery.tenant is not null and not exists (
        select from public.installation_claims
        where organization_id = delivery.tenant and installation = delivery.installation
            and account = delivery.account and claimed_at > public.app_now() - interval '1 hour'
    )) then
        insert into public.installation_claims as known
            (organization_id, installation, account, login, delivery_id, refused)
        values (
            delivery.tenant, delivery.installation, delivery.account, coalesce(delivery.login, ''),
            delivery.delivery, delivery.is_refused::int
        )
        on conflict (organization_id, installation, account) do update
            set delivery_id = excluded.delivery_id, claimed_at = public.app_now(),
                refused = known.refused + excluded.refused;
    end if;
    return delivery;
end $$;
