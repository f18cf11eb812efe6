-- Pictures ---------------------------------------------------------------------------------------------

-- A picture is shown as long as its repository would link one. `shared_with` are the other repositories whose
-- work is in it.
alter table chart_files
    add project_id bigint,
    add shared_with bigint[] not null default '{}';

-- Pictures drawn before this migration belong to the repository in which they were linked first. What was linked
-- nowhere has no reader, and nobody could say when its link has to end. The links were collected before the table
-- was locked; what was drawn since is looked for again, among what was said in the last hour.
do $$
begin
    if exists (
        select from chart_files as picture
        where created_at >= now() - interval '1 hour' and not exists (
            select from picture_links as link
            where link.organization_id = picture.organization_id and link.token = picture.token
        )
    ) then
        perform pg_temp.collect_picture_links(now() - interval '1 hour');
    end if;
end $$;
update chart_files set project_id = first_link.project_id
from (
    select organization_id, token, min(project_id) as project_id from picture_links group by organization_id, token
) as first_link
where chart_files.organization_id = first_link.organization_id and chart_files.token = first_link.token;
delete from chart_files where project_id is null;

-- Nobody noted whose work is in them. Where a repository shares its sprints by the settings that it has now, all
-- that share with it are taken to be: a link may end too early, and none lasts too long.
update chart_files set shared_with = sharing.others
from (
    select project.organization_id, project.id, array_agg(other.id order by other.id) as others
    from projects as project
    join organizations on organizations.id = project.organization_id
    cross join lateral (
        select (
            organizations.settings || organizations.file || project.settings || project.file || project.said
        ) #> '{sprints,repositories}' as names
    ) as listed
    join projects as other on other.organization_id = project.organization_id and other.id <> project.id
        and split_part(lower(other.github_repo), '/', 1) = split_part(lower(project.github_repo), '/', 1)
    where jsonb_typeof(listed.names) = 'array'
        and exists (
            select from jsonb_array_elements_text(listed.names) as listed_name
            where lower(listed_name) = split_part(lower(project.github_repo), '/', 2)
        )
        and exists (
            select from jsonb_array_elements_text(listed.names) as listed_name
            where lower(listed_name) = split_part(lower(other.github_repo), '/', 2)
        )
    group by project.organization_id, project.id
) as sharing
where chart_files.organization_id = sharing.organization_id and chart_files.project_id = sharing.id;

alter table chart_files
    alter project_id set not null,
    add foreign key (organization_id, project_id) references projects (organization_id, id),
    drop constraint chart_files_organization_id_content_key_key,
    add unique (organization_id, project_id, content_key);

-- Since when the App cannot see a repository any more: it was removed from the installation, deleted or moved to
-- another account.
alter table projects add hidden_since timestamptz;

-- When GitHub is asked again which repositories can be seen. Spread, so that not everybody is asked about at once.
alter table organizations add next_visibility_check_at timestamptz;
update organizations set next_visibility_check_at = now() + random() * interval '40 minutes';

-- As in 0002; and `visibility`, for tenants that have pictures.
create or replace function tenants_due(what text, moment timestamptz) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select id from public.organizations
    where moment >= case what
        when 'measure' then coalesce(next_measure_at, created_at + interval '1 hour')
        when 'visibility' then coalesce(next_visibility_check_at, created_at + interval '40 minutes')
        else coalesce(next_reconcile_at, created_at + interval '1 day')
    end
    and (what <> 'visibility' or (
        github_installation_id is not null
        and exists (select from public.chart_files where organization_id = organizations.id)
    ))
    order by id
$$;

-- People -----------------------------------------------------------------------------------------------

-- Under which login a tenant knows a person. A row of `users` keeps the login under which the person was first
-- met by anybody: no tenant can rename people for the others.
alter table organization_members
    add login text,
    add login_seen_at timestamptz not null default app_now();
update organization_members set login = users.github_username, login_seen_at = users.updated_at
from users where users.id = user_id;
alter table organization_members alter login set not null;

-- Remembers people that the transaction's tenant has met, as a JSON list of github_id and login. Who is known by
-- that login already is not touched: no lock that two tenants could wait for.
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
        set login = excluded.login, login_seen_at = public.app_now();
end $$;

-- Payloads ---------------------------------------------------------------------------------------------

-- A payload is sealed for an account before it is known which tenant's row it will be in.
create function account_of_installation(installation bigint) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select github_account_id from public.organizations where github_installation_id = installation
$$;

-- Deletion ---------------------------------------------------------------------------------------------

-- When the row was written, withdrawn or restored, by the database's own clock. The application's role cannot
-- write this column, nor move a deadline that is there.
alter table deletion_deadlines add noted_at timestamptz not null default now();
update deletion_deadlines set noted_at = created_at;

-- A withdrawal can leave an earlier deadline as the latest, and one that was withdrawn can count again. Either is
-- news, and is to be read as long as a new one.
create function restart_notice() returns trigger language plpgsql as $$
begin
    new.noted_at := now();
    return new;
end $$;
create trigger restart_notice before update on deletion_deadlines for each row
when (old.withdrawn_at is distinct from new.withdrawn_at)
execute function restart_notice();

-- Whether a tenant's data is to be deleted now: its latest deadline has passed, and for at least seven days
-- nothing has changed that decides which one that is, whatever the deadlines themselves say.
create function is_to_be_deleted(tenant bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(
        max(due_at) filter (where withdrawn_at is null) <= now()
            and max(noted_at) <= now() - interval '7 days',
        false
    )
    from public.deletion_deadlines where organization_id = tenant
$$;

create or replace function tenants_to_delete() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select id from public.organizations where public.is_to_be_deleted(id) order by id
$$;

-- As in 0004, but for the question whether it is time.
create or replace function delete_tenant() returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
    members bigint[];
    waiting text[];
    later text[];
    table_to_empty text;
    member bigint;
    gone bigint;
    counts jsonb := '{}';
begin
    -- Whoever wants to add a row of this tenant waits for this lock, and then finds the tenant gone.
    perform from public.organizations where id = tenant for update;
    if not found then
        raise exception 'there is no such tenant';
    end if;
    if not public.is_to_be_deleted(tenant) then
        raise exception 'this tenant is not to be deleted now';
    end if;
    select coalesce(array_agg(user_id), '{}') into members
    from public.organization_members where organization_id = tenant;
    select array_agg(table_name::text order by table_name) into waiting
    from information_schema.columns
    where table_schema = 'public' and column_name = 'organization_id';

    -- When we wrote to its account, which posts are paced by.
    delete from public.clockwork where name = 'writes:' || tenant;
    while cardinality(waiting) > 0 loop
        later := '{}';
        foreach table_to_empty in array waiting loop
            begin
                execute format('delete from public.%I where organization_id = $1', table_to_empty) using tenant;
                get diagnostics gone = row_count;
                if gone > 0 then
                    counts := counts || jsonb_build_object(table_to_empty, gone);
                end if;
            exception when foreign_key_violation then
                later := later || table_to_empty;
            end;
        end loop;
        if cardinality(later) = cardinality(waiting) then
            raise exception 'these tables refer to each other: %', later;
        end if;
        waiting := later;
    end loop;

    -- People whom no other tenant has met either.
    foreach member in array members loop
        begin
            delete from public.users where id = member and oidc_subject is null
                and not exists (select from public.organization_members where user_id = member);
        exception when foreign_key_violation then
            null; -- Another tenant's figures still name this person.
        end;
    end loop;
    delete from public.procrastinate_jobs
    where status = 'todo' and args ->> 'organization_id' = tenant::text;
    delete from public.organizations where id = tenant;
    return counts;
end $$;

-- The queue --------------------------------------------------------------------------------------------

-- Procrastinate's functions run as the tables' owner, so that the application's role needs no rights on the tables
-- themselves: it can put jobs in and take the next one out, and neither reads what those that wait are about nor
-- deletes them. Of those of procrastinate's functions that end a job or put it back, it may use these two alone.
do $$
declare
    queue_function regprocedure;
begin
    for queue_function in
        select oid from pg_proc
        where pronamespace = 'public'::regnamespace and proname like 'procrastinate\_%'
    loop
        execute format(
            'alter function %s security definer set search_path = pg_catalog, public, pg_temp', queue_function
        );
        execute format('revoke all on function %s from public', queue_function);
    end loop;
end $$;

-- As procrastinate_finish_job_v1, which also ends and deletes jobs that wait: only for a job under way.
create function finish_running_job(job bigint, end_status procrastinate_job_status, delete_job boolean)
returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform from public.procrastinate_jobs where id = job and status = 'doing' for update;
    if not found then
        raise exception 'this job is not under way (job id: %)', job;
    end if;
    perform public.procrastinate_finish_job_v1(job, end_status, delete_job);
end $$;

-- As procrastinate_retry_job_v2, which also revives jobs that were given up, and moves them to another lock, queue
-- or priority: only for a job under way, as it is.
create function retry_running_job(job bigint, retry_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform from public.procrastinate_jobs where id = job and status = 'doing' for update;
    if not found then
        raise exception 'this job is not under way (job id: %)', job;
    end if;
    perform public.procrastinate_retry_job_v2(job, retry_at, null, null, null);
end $$;

-- What the worker asks of the tables beside. A job's worker is dead if it has not been heard of for so long.
create function stalled_jobs(silent_for interval)
returns table (id bigint, task_name varchar, attempts integer)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select jobs.id, jobs.task_name, jobs.attempts from public.procrastinate_jobs as jobs
    left join public.procrastinate_workers as workers on workers.id = jobs.worker_id
    where jobs.status = 'doing' and (workers.id is null or workers.last_heartbeat < now() - silent_for)
    order by jobs.id
$$;

-- Jobs that ended so long ago leave the queue; those that failed only `with_failed`.
create function delete_ended_jobs(ended_before interval, with_failed boolean) returns bigint
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    with gone as (
        delete from public.procrastinate_jobs as jobs
        where (status in ('succeeded', 'cancelled', 'aborted') or (with_failed and status = 'failed'))
            and (
                select max(at) from public.procrastinate_events where job_id = jobs.id
            ) < now() - ended_before
        returning 1
    )
    select count(*) from gone
$$;

-- Which of these jobs of the transaction's tenant run or wait.
create function running_tasks(names text[]) returns setof varchar
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select distinct task_name from public.procrastinate_jobs
    where status in ('todo', 'doing') and task_name = any (names)
        and args ->> 'organization_id' = current_setting('app.tenant', true)
$$;
