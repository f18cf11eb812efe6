-- Which message carries a forecast, and when GitHub took it: only what was shown is graded. Rows from before
-- have no carrier: they count as shown when they were made, because nobody noted more.
alter table forecasts add carrier text, add shown_at timestamptz;
create index forecasts_to_show on forecasts (organization_id, carrier) where shown_at is null;

-- The logins that somebody had before, each with the moment at which that person was first seen with it.
alter table organization_members add former_logins jsonb not null default '[]';

-- As in 0007; and a login that is given up stays known. Moments are those of the events, which may come late: an
-- older event does not bring an old login back. A login can pass from one person to another and back again.
create or replace function meet_people(told text) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
    seen record;
    member public.organization_members;
    holder bigint;
begin
    if tenant is null then
        raise exception 'people are met by a tenant';
    end if;
    insert into public.users (github_id, github_username)
    select distinct on (github_id) github_id, login
    from json_to_recordset(told::json) as t (github_id bigint, login text, at timestamptz)
    where not exists (select from public.users where users.github_id = t.github_id)
    order by github_id, at
    on conflict do nothing;
    -- In one order everywhere: two transactions wait and do not dead-lock.
    for seen in
        select users.id, t.login, t.at
        from rows from (json_to_recordset(told::json) as (github_id bigint, login text, at timestamptz))
            with ordinality as t (github_id, login, at, place)
        join public.users on users.github_id = t.github_id
        order by users.id, t.at, t.place
    loop
        insert into public.organization_members (organization_id, user_id, login, login_seen_at)
        values (tenant, seen.id, seen.login, seen.at)
        on conflict (organization_id, user_id) do nothing;
        continue when found;
        select * into member from public.organization_members
        where organization_id = tenant and user_id = seen.id
        for no key update;
        -- Who had that login at that moment, as far as we know.
        select known.user_id into holder
        from public.organization_members as known
        cross join lateral (
            select known.login, known.login_seen_at as since
            union all
            select former ->> 'login', (former ->> 'since')::timestamptz
            from jsonb_array_elements(known.former_logins) as former
        ) as span
        where known.organization_id = tenant and lower(span.login) = lower(seen.login) and span.since <= seen.at
        order by span.since desc, known.user_id = seen.id desc
        limit 1;
        if seen.at < member.login_seen_at then
            if holder is distinct from seen.id then
                update public.organization_members
                set former_logins =
                    former_logins || jsonb_build_object('login', seen.login, 'since', seen.at)
                where organization_id = tenant and id = member.id;
            end if;
        elsif lower(member.login) = lower(seen.login) and holder = seen.id then
            update public.organization_members set login = seen.login
            where organization_id = tenant and id = member.id and login <> seen.login;
        else
            update public.organization_members
            set login = seen.login,
                login_seen_at = seen.at,
                former_logins =
                    former_logins || jsonb_build_object('login', member.login, 'since', member.login_seen_at)
            where organization_id = tenant and id = member.id;
        end if;
    end loop;
end $$;
