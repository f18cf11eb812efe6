-- The queue ------------------------------------------------------------------------------------------------

-- The jobs that are ready, by urgency and age, and the same by tenant. Both begin with the negated priority, so
-- that they ascend in the order in which jobs run, and so that only these indexes can serve `first_ready_job`:
-- procrastinate's own also hold the jobs that wait for their time, which may be many more.
create index ready_jobs on procrastinate_jobs ((-priority), id) where status = 'todo' and scheduled_at is null;
create index ready_jobs_by_tenant on procrastinate_jobs
    ((-priority), (coalesce(args ->> 'organization_id', '') collate "C"), id)
    where status = 'todo' and scheduled_at is null;
create index scheduled_jobs on procrastinate_jobs (scheduled_at)
    where status = 'todo' and scheduled_at is not null;
create index running_jobs on procrastinate_jobs (id) where status = 'doing';
create index failed_jobs on procrastinate_jobs (id) where status = 'failed';
create index ended_jobs on procrastinate_jobs (id) where status in ('succeeded', 'cancelled', 'aborted');

-- Jobs that an older version has queued get the priority that this version would give them (Priority of
-- storage/job_priority.py).
update procrastinate_jobs set priority = case
    when task_name in ('process_events', 'repository_left', 'follow_purchase', 'follow_stripe',
        'follow_stripe_payment', 'sweep') then 8
    when task_name in ('send_posts', 'send_posts_later', 'wake_posts') then 6
    when task_name in ('check', 'check_later', 'redraw', 'redraw_later', 'tell_owner', 'read_settings')
        or (task_name = 'run_later' and args ->> 'task' in ('check', 'redraw', 'tell_owner')) then 4
    when task_name = 'backfill' then 2
    when task_name in ('answer_later', 'press_later')
        or (task_name = 'run_later' and args ->> 'task' in ('answer', 'press')) then 10
    when task_name = 'run_later' and args ->> 'task' = 'send_posts' then 6
    else priority
end
where status in ('todo', 'doing');

-- As in 0001, with the priority of recording.
create or replace function wake_tenant(tenant bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    wanted text := 'events:' || tenant;
begin
    perform pg_advisory_xact_lock_shared(hashtextextended(wanted, 0));
    if exists (
        select from public.procrastinate_jobs where queueing_lock = wanted and status = 'todo'
    ) then
        return;
    end if;
    perform public.procrastinate_defer_jobs_v1(array[row(
        'events', 'process_events', 8, null, wanted, jsonb_build_object('organization_id', tenant), null
    )::public.procrastinate_job_to_defer_v1]);
exception when unique_violation then
    null; -- Another transaction deferred the same job a moment ago.
end $$;

-- Whether a waiting job is the next one on its lock. On each lock one after another: the highest priority first, then
-- the oldest. A job without a lock waits for no other.
create function is_first_on_lock(job bigint, wanted text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return wanted is null or (
        not exists (select from public.procrastinate_jobs where lock = wanted and status = 'doing')
        and job = (
            select id from public.procrastinate_jobs where lock = wanted and status = 'todo'
            order by priority desc, id limit 1
        )
    );
end $$;

-- Of the ready jobs of one priority, the one that may be taken next; null if there is none. Jobs of `busy` tenants
-- are left alone, and those of all tenants if `nobodys`: then only jobs without a tenant count. The answer holds
-- at this moment only, and its row is locked.
--
-- Mostly it is among the oldest jobs. If they are all of busy tenants or behind locks, the first job of each other
-- tenant is looked at; each step of `waiting` finds the next tenant.
--
-- The planner's figures about a queue are always out of date. So only the plans that follow the indexes are
-- allowed, which are good for a queue of any length.
create function first_ready_job(
    level integer, queues text[], busy text[], nobodys boolean, taken_locks text[]
) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_sort = off as $$
declare
    passed bigint[] := '{}';
    last_of_oldest bigint;
    oldest bigint;
    best bigint;
begin
    select max(id), count(*) into last_of_oldest, oldest
    from (
        select id from public.procrastinate_jobs
        where status = 'todo' and scheduled_at is null and -priority = level order by id limit 50
    ) as jobs;
    loop
        best := null;
        if not nobodys then
            select job.id into best from public.procrastinate_jobs as job
            where job.status = 'todo' and job.scheduled_at is null and -job.priority = level
                and job.id <= last_of_oldest
                and coalesce(job.args ->> 'organization_id', '') <> all (busy)
                and (queues is null or job.queue_name = any (queues)) and job.id <> all (passed)
                and (job.lock is null or job.lock <> all (taken_locks))
                and public.is_first_on_lock(job.id, job.lock)
            order by job.id limit 1;
        end if;
        if best is null and (nobodys or oldest = 50) then
            with recursive waiting as (
                select case when nobodys then '' else (
                    select coalesce(args ->> 'organization_id', '') collate "C"
                    from public.procrastinate_jobs
                    where status = 'todo' and scheduled_at is null and -priority = level
                    order by coalesce(args ->> 'organization_id', '') collate "C" limit 1
                ) end as tenant
                union all
                select (
                    select coalesce(args ->> 'organization_id', '') collate "C"
                    from public.procrastinate_jobs
                    where status = 'todo' and scheduled_at is null and -priority = level
                        and coalesce(args ->> 'organization_id', '') collate "C" > waiting.tenant
                    order by coalesce(args ->> 'organization_id', '') collate "C" limit 1
                )
                from waiting where waiting.tenant is not null and not nobodys
            )
            select first.id into best
            from waiting
            cross join lateral (
                select job.id from public.procrastinate_jobs as job
                where job.status = 'todo' and job.scheduled_at is null and -job.priority = level
                    and coalesce(job.args ->> 'organization_id', '') collate "C" = waiting.tenant
                    and (queues is null or job.queue_name = any (queues)) and job.id <> all (passed)
                    and (job.lock is null or job.lock <> all (taken_locks))
                    and public.is_first_on_lock(job.id, job.lock)
                order by job.id limit 1
            ) as first
            where waiting.tenant <> all (busy)
            order by first.id limit 1;
        end if;
        exit when best is null;
        perform from public.procrastinate_jobs where id = best and status = 'todo' for update skip locked;
        exit when found;
        passed := passed || best; -- Another worker takes it, or a transaction still relies on it.
    end loop;
    return best;
end $$;

drop function fetch_fair_job(text[], bigint, integer, text[], timestamptz);

-- Takes the next job for a worker, as procrastinate_fetch_job_v2 does, but fairly: first comes the tenant that
-- has the fewest jobs running there, then the highest priority, then the oldest. Of a tenant's running jobs, those
-- count that have at least the job's priority: no answer waits because a check of the same tenant runs. A tenant
-- that is alone may have all places; once others wait, each place that becomes free is theirs, until each has an
-- equal share. Jobs of at most the priority `background` may be long, and nobody waits for them. Together they
-- have at most half of the places: the rest is kept for what people wait for. Jobs that are no tenant's are never
-- held back. `moment` is the application's, by whose clock jobs were scheduled.
--
-- It looks at a few jobs of each priority, however many are ready: see `first_ready_job`.
create function fetch_fair_job(
    queues text[], worker bigint, places integer, background integer, moment timestamptz
)
returns procrastinate_jobs
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_sort = off as $$
declare
    tenants text[];
    priorities integer[];
    has_room boolean;
    taken_locks text[];
    levels integer[] := '{}';
    level integer;
    fewest bigint;
    busy text[];
    best bigint;
    job public.procrastinate_jobs;
begin
    -- Jobs whose time has come are ready from now on. A few at a time: each fetch makes more of them ready.
    update public.procrastinate_jobs set scheduled_at = null
    where id = any (array(
        select id from public.procrastinate_jobs
        where status = 'todo' and scheduled_at is not null and scheduled_at <= moment
        order by scheduled_at limit 100 for update skip locked
    ));
    select
        coalesce(array_agg(args ->> 'organization_id'), '{}'), coalesce(array_agg(priority), '{}'),
        count(*) filter (where priority <= background) < greatest(places / 2, 1)
    into tenants, priorities, has_room
    from public.procrastinate_jobs
    where worker_id = worker and status = 'doing' and args ? 'organization_id';
    -- Only to pass over many jobs cheaply. What decides is asked again for each job that might be next.
    select coalesce(array_agg(lock), '{}') into taken_locks
    from public.procrastinate_jobs where status = 'doing' and lock is not null;
    loop
        select -priority into level from public.procrastinate_jobs
        where status = 'todo' and scheduled_at is null
            and -priority > coalesce(levels[cardinality(levels)], -2147483648)
        order by -priority limit 1;
        exit when not found;
        levels := levels || level;
    end loop;

    for fewest in
        select 0 union
        select (
            select count(*) from unnest(tenants, priorities) as other (tenant, priority)
            where other.tenant = running.tenant and other.priority >= running.priority
        )
        from unnest(tenants, priorities) as running (tenant, priority)
        order by 1
    loop
        foreach level in array levels loop
            select coalesce(array_agg(tenant), '{}') into busy
            from (
                select tenant from unnest(tenants, priorities) as running (tenant, priority)
                where priority >= -level group by tenant having count(*) > fewest
            ) as busier;
            best := public.first_ready_job(
                level, queues, busy, -level <= background and not has_room, taken_locks
            );
            if best is not null then
                update public.procrastinate_jobs set status = 'doing', worker_id = worker
                where id = best returning * into job;
                return job;
            end if;
        end loop;
    end loop;
    return null;
end $$;

alter function hold_waiting_job(text) set plan_cache_mode = force_custom_plan;
alter function finish_running_job(bigint, procrastinate_job_status, boolean)
    set plan_cache_mode = force_custom_plan;
alter function retry_running_job(bigint, timestamptz) set plan_cache_mode = force_custom_plan;

-- A job that ends may let another one begin: the next one on its lock, or one that waited because half of a
-- worker's places was taken. Without it, that job starts only at the next poll. Jobs that are done are deleted.
drop trigger wake_locked on procrastinate_jobs;
create or replace function wake_locked() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    message text := json_build_object('type', 'job_inserted', 'job_id', old.id)::text;
begin
    perform pg_notify('procrastinate_queue_v1#' || old.queue_name, message);
    perform pg_notify('procrastinate_any_queue_v1', message);
    return null;
end $$;
create trigger wake_locked after update of status on procrastinate_jobs for each row
when (old.status = 'doing' and new.status <> 'doing' and (new.lock is not null or new.priority <= 6))
execute function wake_locked();
create trigger wake_locked_after_deletion after delete on procrastinate_jobs for each row
when (old.status = 'doing' and (old.lock is not null or old.priority <= 6))
execute function wake_locked();

drop function delete_ended_jobs(interval, boolean);

-- Removes ended jobs from the queue, at most so many at a time, because an older version may have left millions.
-- Jobs that were given up stay until they ended so long ago.
create function delete_ended_jobs(failed_before interval, most integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    ended bigint[];
begin
    ended := array(
        select id from public.procrastinate_jobs
        where status in ('succeeded', 'cancelled', 'aborted') order by id limit most
    ) || array(
        select id from (
            select id from public.procrastinate_jobs where status = 'failed' order by id limit most
        ) as oldest
        where (
            select max(at) from public.procrastinate_events where job_id = oldest.id
        ) < now() - failed_before
    );
    delete from public.procrastinate_jobs where id = any (ended);
    return cardinality(ended);
end $$;

-- Tenants with work ----------------------------------------------------------------------------------------

-- Periodic tasks ask which tenants have work, and visit no others. These functions return ids and nothing else.
-- Pages of a series follow the order of ids: `after` is the last id of the page before.

drop function tenants_with_waiting_events(timestamptz);

-- Wakes the tenants that have deliveries due at a moment and no job that waits for them, at most so many. Returns
-- their number. Each step finds the next tenant with deliveries to process.
create function wake_waiting_tenants(moment timestamptz, most integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
set enable_sort = off as $$
declare
    tenant bigint := 0;
    woken bigint := 0;
begin
    loop
        select organization_id into tenant from public.github_events
        where processed_at is null and parked_at is null and organization_id > tenant
        order by organization_id limit 1;
        exit when not found or woken >= most;
        continue when exists (
            select from public.procrastinate_jobs where queueing_lock = 'events:' || tenant and status = 'todo'
        ) or not exists (
            select from public.github_events
            where organization_id = tenant and processed_at is null and parked_at is null and due_at <= moment
        );
        perform public.wake_tenant(tenant);
        woken := woken + 1;
    end loop;
    return woken;
end $$;

-- When a turn is due. A new tenant has none yet, and gets its first one some time after it came.
create index organizations_to_measure on organizations ((coalesce(next_measure_at, created_at)));
create index organizations_to_reconcile on organizations ((coalesce(next_reconcile_at, created_at)));
create index organizations_to_look_at on organizations ((coalesce(next_visibility_check_at, created_at)));

drop function tenants_due(text, timestamptz);

-- As in 0012, the longest overdue first, and at most so many: whoever is not among them is next time. Tenants whose
-- turn is queued or running count, but are not returned. So no more turns of a kind than that are ever queued.
create function tenants_due(what text, moment timestamptz, most integer) returns setof bigint
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    due bigint[];
begin
    if what = 'measure' then
        due := array(
            select id from public.organizations
            where coalesce(next_measure_at, created_at) <= moment
                and (next_measure_at is not null or created_at <= moment - interval '1 hour')
            order by coalesce(next_measure_at, created_at) limit most
        );
    elsif what = 'visibility' then
        due := array(
            select id from public.organizations
            where coalesce(next_visibility_check_at, created_at) <= moment
                and (next_visibility_check_at is not null or created_at <= moment - interval '40 minutes')
                and github_installation_id is not null
                and (
                    suspended_at is not null
                    or exists (select from public.chart_files where organization_id = organizations.id)
                )
            order by coalesce(next_visibility_check_at, created_at) limit most
        );
    else
        due := array(
            select id from public.organizations
            where coalesce(next_reconcile_at, created_at) <= moment
                and (next_reconcile_at is not null or created_at <= moment - interval '1 day')
            order by coalesce(next_reconcile_at, created_at) limit most
        );
    end if;
    return query
        select tenant from unnest(due) with ordinality as t (tenant, place)
        where not exists (
            select from public.procrastinate_jobs
            where queueing_lock = what || ':' || tenant and status = 'todo'
        )
        and not exists (
            select from public.procrastinate_jobs
            where queueing_lock = what || ':' || tenant and status = 'doing'
        )
        order by place;
end $$;

create index posts_to_send on posts (organization_id)
    where refused is null and not is_gone and not is_withdrawn and (sent_at is null or sent_at < wanted_at);
create index posts_to_retry on posts ((coalesce(refused_at, wanted_at)))
    where refused is not null and not is_gone and not is_withdrawn and (sent_at is null or sent_at < wanted_at);

-- The tenants with posts that are due, as `Posts.due` of storage/posts.py has it, in repositories that can be
-- written to, and without a job that waits to send them. Each step finds the next tenant with unsent posts.
create function tenants_with_due_posts(moment timestamptz, after bigint, most integer) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
    with recursive unsent as (
        (
            select organization_id as tenant from public.posts
            where refused is null and not is_gone and not is_withdrawn
                and (sent_at is null or sent_at < wanted_at) and organization_id > after
            order by organization_id limit 1
        )
        union all
        select (
            select organization_id from public.posts
            where refused is null and not is_gone and not is_withdrawn
                and (sent_at is null or sent_at < wanted_at) and organization_id > unsent.tenant
            order by organization_id limit 1
        )
        from unsent where unsent.tenant is not null
    ),
    -- A refused post is tried again a day later, until it has been wanted for 30 days.
    to_retry as (
        select distinct organization_id as tenant from public.posts
        where refused is not null and not is_gone and not is_withdrawn
            and (sent_at is null or sent_at < wanted_at)
            and coalesce(refused_at, wanted_at) < moment - interval '1 day'
            and coalesce(refused_at, wanted_at) > moment - interval '30 days'
            and wanted_at > moment - interval '30 days' and organization_id > after
    ),
    candidates as (select tenant from unsent where tenant is not null union select tenant from to_retry)
    select tenant from candidates
    where exists (
        select from public.posts
        join public.projects on projects.organization_id = posts.organization_id
            and projects.id = posts.project_id and projects.is_active and projects.github_repo is not null
        join public.organizations on organizations.id = posts.organization_id
            and organizations.github_installation_id is not null and organizations.suspended_at is null
        where posts.organization_id = tenant and not is_gone and not is_withdrawn
            and (sent_at is null or sent_at < wanted_at)
            and (refused is null or coalesce(refused_at, wanted_at) < moment - interval '1 day')
    )
    and not exists (
        select from public.procrastinate_jobs where queueing_lock = 'posts:' || tenant and status = 'todo'
    )
    order by tenant limit most
$$;

create index outbox_by_time on outbox (organization_id, created_at);
create index projects_by_age on projects (organization_id, created_at);

-- The tenants with usage to count between two moments, and, if `reported`, those with usage that was counted before
-- and not reported to Stripe, where they have or had a subscription there.
create function tenants_with_usage(
    since timestamptz, until timestamptz, reported boolean, after bigint, most integer
) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
    select id from public.organizations
    where id > after and (
        exists (
            select from public.outbox
            where organization_id = organizations.id and created_at >= since and created_at < until
        )
        or exists (
            select from public.projects
            where organization_id = organizations.id and created_at >= since and created_at < until
        )
        or (reported and exists (
            select from public.usage_ledger
            where organization_id = organizations.id and reported_at is null and refused is null
                and period < (until at time zone 'UTC')::date
        ) and exists (
            select from public.subscriptions where organization_id = organizations.id and source = 'stripe'
        ))
    )
    order by id limit most
$$;

-- The tenants with data whose retention has ended: payloads, pictures that nobody views, claims of installations.
create function tenants_to_clean_up(
    payloads_before timestamptz, pictures_before timestamptz, claims_before timestamptz,
    after bigint, most integer
) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
    select id from public.organizations
    where id > after and (
        exists (
            select from public.github_events
            where organization_id = organizations.id and payload <> '' and created_at < payloads_before
                and (processed_at is not null or parked_at is not null)
        )
        or exists (
            select from public.chart_files
            where organization_id = organizations.id and png is not null and inputs is not null
                and used_at < pictures_before
        )
        or exists (
            select from public.installation_claims
            where organization_id = organizations.id and claimed_at < claims_before
        )
    )
    order by id limit most
$$;

create index posts_about_billing on posts (organization_id) where key like 'billing:%';

-- The tenants that bought something, that have notices about it, or whose data is to be deleted.
create function tenants_with_billing(after bigint, most integer) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
    select id from public.organizations
    where id > after and (
        plan <> 'free'
        or exists (select from public.subscriptions where organization_id = organizations.id)
        or exists (select from public.subscription_problems where organization_id = organizations.id)
        or exists (
            select from public.seat_increases where organization_id = organizations.id and closed_at is null
        )
        or exists (select from public.deletion_deadlines where organization_id = organizations.id)
        or exists (
            select from public.posts where organization_id = organizations.id and key like 'billing:%'
        )
    )
    order by id limit most
$$;

create index missed_deliveries_expected on missed_deliveries (organization_id)
    where recovered_at is null and lost_at is null;

-- The tenants with deliveries that failed, have not arrived since, and are not given up.
create function tenants_with_missed_deliveries(after bigint, most integer) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
    select distinct organization_id from public.missed_deliveries
    where recovered_at is null and lost_at is null and organization_id > after
    order by organization_id limit most
$$;

-- As in 0007, but only those that have deadlines are looked at.
create or replace function tenants_to_delete() returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select organization_id from (
        select distinct organization_id from public.deletion_deadlines where withdrawn_at is null
    ) as with_deadlines
    where public.is_to_be_deleted(organization_id) order by organization_id
$$;
