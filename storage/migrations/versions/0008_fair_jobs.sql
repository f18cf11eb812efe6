-- Who waits behind whom on a lock is asked for each job that might be next.
create index jobs_by_waiting_lock on procrastinate_jobs (lock, priority desc, id) where status = 'todo';

-- Takes the next job for a worker, as procrastinate_fetch_job_v2 does, but fairly: first comes the tenant that
-- has the fewest jobs running there, then the highest priority, then the oldest. A tenant that is alone may have
-- all places; once others wait, each place that becomes free is theirs, until each has an equal share.
-- The tasks named by `background` are long, and nobody waits for them. Together they have at most half of the
-- places: the rest is kept for what people wait for. Jobs that are no tenant's are never held back. `moment` is
-- the application's, by whose clock jobs were scheduled.
create function fetch_fair_job(
    queues text[], worker bigint, places integer, background text[], moment timestamptz
)
returns procrastinate_jobs
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    tenants text[];
    running bigint[];
    has_room boolean;
    taken_locks text[];
    fewest bigint;
    busier text[];
    job public.procrastinate_jobs;
begin
    select
        coalesce(array_agg(tenant), '{}'), coalesce(array_agg(jobs), '{}'),
        coalesce(sum(jobs_in_background), 0) < greatest(places / 2, 1)
    into tenants, running, has_room
    from (
        select args ->> 'organization_id' as tenant, count(*) as jobs,
            count(*) filter (where task_name = any (background)) as jobs_in_background
        from public.procrastinate_jobs
        where worker_id = worker and status = 'doing' and args ? 'organization_id'
        group by 1
    ) as counted;
    -- Only to pass over many jobs cheaply. What decides is asked below, in the snapshot that takes the job.
    select coalesce(array_agg(lock), '{}') into taken_locks
    from public.procrastinate_jobs where status = 'doing' and lock is not null;

    for fewest in select 0 union select unnest(running) order by 1 loop
        busier := array(
            select tenant from unnest(tenants, running) as counted (tenant, jobs) where jobs > fewest
        );
        update public.procrastinate_jobs set status = 'doing', worker_id = worker
        where id = (
            select waiting.id from public.procrastinate_jobs as waiting
            where waiting.status = 'todo'
                and (queues is null or waiting.queue_name = any (queues))
                and (waiting.scheduled_at is null or waiting.scheduled_at <= moment)
                and (waiting.lock is null or waiting.lock <> all (taken_locks))
                and (
                    not waiting.args ? 'organization_id'
                    or (has_room or waiting.task_name <> all (background))
                    and waiting.args ->> 'organization_id' <> all (busier)
                )
                -- On each lock one after another: the highest priority first, then the oldest.
                and (
                    waiting.lock is null
                    or not exists (
                        select from public.procrastinate_jobs as other
                        where other.lock = waiting.lock and other.status = 'doing'
                    )
                    and waiting.id = (
                        select other.id from public.procrastinate_jobs as other
                        where other.lock = waiting.lock and other.status = 'todo'
                        order by other.priority desc, other.id limit 1
                    )
                )
            order by waiting.priority desc, waiting.id
            limit 1
            for update of waiting skip locked
        )
        returning * into job;
        exit when job.id is not null;
    end loop;
    return job;
end $$;

-- Whether a job with this queueing lock waits. If so, it does not begin before the caller's transaction has
-- ended, so that it sees what the caller relies on it for.
create function hold_waiting_job(wanted text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform from public.procrastinate_jobs where queueing_lock = wanted and status = 'todo' for share;
    return found;
end $$;
