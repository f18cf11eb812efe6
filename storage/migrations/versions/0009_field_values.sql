-- Facts about an account's projects belong to no repository. `content` is the node id of the issue or pull request.
create index timeline_by_content on timeline (organization_id, (after ->> 'content'))
    where kind in ('project_item', 'issue_field');

-- As in 0003; and text in its fields goes as well. Numbers, dates, options and iterations stay.
create or replace function forget_text(deleted_item text) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    update public.timeline
    set after = jsonb_set(after, '{item,title}', '""') - 'reason',
        before = case when jsonb_typeof(before) = 'object' then before - 'title' end
    where organization_id = nullif(current_setting('app.tenant', true), '')::bigint
        and item = deleted_item and (after -> 'item' ->> 'title' <> '' or after ? 'reason');

    update public.timeline
    set after = case when jsonb_typeof(after -> 'value') = 'string' then after - 'value' else after end,
        before = case when jsonb_typeof(before -> 'value') = 'string' then before - 'value' else before end
    where organization_id = nullif(current_setting('app.tenant', true), '')::bigint
        and kind in ('project_item', 'issue_field') and after ->> 'content' = deleted_item
        and after ->> 'field_type' is distinct from 'date';
$$;
