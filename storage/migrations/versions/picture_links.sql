-- In which repository each picture was linked, by what was said before pictures belonged to repositories: for the
-- rest of the transaction. Reading this takes long where much was said, so it is done before any migration locks
-- a table. One tenant after another, as row-level security shows them: a policy for the owner would be a lock.
do $$
begin
    if to_regclass('pg_temp.picture_links') is not null then
        return; -- An earlier migration of the same upgrade has done it.
    end if;
    create temporary table picture_links (
        organization_id bigint, project_id bigint, token text
    ) on commit drop;
    -- `since`: only what was said from then on, and all posts, because these are edited in place.
    create function pg_temp.collect_picture_links(since timestamptz) returns void language plpgsql as $collect$
    declare
        tenant bigint;
    begin
        for tenant in select id from public.organizations order by id loop
            perform set_config('app.tenant', tenant::text, true);
            insert into picture_links
            select organization_id, project_id, (regexp_matches(body, '/charts/([\w-]{32})\.png', 'g'))[1]
            from public.outbox
            where organization_id = tenant and created_at >= since and body like '%/charts/%'
            union
            select organization_id, project_id,
                (regexp_matches(body || data::text, '/charts/([\w-]{32})\.png', 'g'))[1]
            from public.posts
            where organization_id = tenant and (body like '%/charts/%' or data::text like '%/charts/%');
        end loop;
        perform set_config('app.tenant', '', true);
    end $collect$;
    perform pg_temp.collect_picture_links('-infinity');
end $$;
