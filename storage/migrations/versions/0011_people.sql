-- Which message carries a forecast, and when GitHub took it: only what was shown is graded. Rows from before
-- have no carrier: they count as shown when they were made, because nobody noted more.
alter table forecasts add carrier text, add shown_at timestamptz;
create index forecasts_to_show on forecasts (organization_id, carrier) where shown_at is null;

-- The logins that somebody had before, each with the moment from which on we knew them by another one.
alter table organization_members add former_logins jsonb not null default '[]';

-- As in 0007; and a login that is given up stays known.
create or replace function meet_people(told text) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
begin
    if tenant is null then
        raise exception 'people are met by a tenant';
    end if;
    insert into public.users (github_id, github_username)
    select github_id, login from json_to_recordset(told::json) as t (github_id bigint, login text)
    where not exists (select from public.users where users.github_id = t.github_id)
    order by github_id
    on conflict do nothing;
    insert into public.organization_members as known (organization_id, user_id, login)
    select tenant, users.id, t.login
    from json_to_recordset(told::json) as t (github_id bigint, login text)
    join public.users on users.github_id = t.github_id
    where not exists (
        select from public.organization_members as member
        where member.organization_id = tenant and member.user_id = users.id and member.login = t.login
    )
    order by users.id
    on conflict (organization_id, user_id) do update
        set login = excluded.login,
            login_seen_at = public.app_now(),
            former_logins = coalesce(
                (
                    select jsonb_agg(former) from jsonb_array_elements(known.former_logins) as former
                    where former ->> 'login' not in (known.login, excluded.login)
                ),
                '[]'
            ) || jsonb_build_object('login', known.login, 'until', public.app_now());
end $$;
