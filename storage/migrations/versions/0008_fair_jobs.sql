-- Who waits behind whom on a lock is asked for each job that might be next.
create index jobs_by_waiting_lock on procrastinate_jobs (lock, priority desc, id) where status = 'todo';

-- Takes the next job for a worker, as procrastinate_fetch_job_v2 does, but fairly: no tenant has more than half
-- of the worker's places while anybody else's job could be taken. Who is alone may have all of them.
-- The tasks named by `background` are long, and nobody waits for them. Together they have at most half of the
-- places, and each tenant at most a quarter while another tenant's could be taken: the rest is kept for
-- what people wait for. Jobs that are no tenant's are never held back. `moment` is the application's, by whose
-- clock jobs were scheduled.
create function fetch_fair_job(
    queues text[], worker bigint, places integer, background text[], moment timestamptz
)
returns procrastinate_jobs
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    half integer := greatest(places / 2, 1);
    quarter integer := greatest(places / 4, 1);
    busy_tenants text[];
    busy_in_background text[];
    in_background bigint;
    taken_locks text[];
    job public.procrastinate_jobs;
begin
    select
        coalesce(array_agg(tenant) filter (where running >= half), '{}'),
        coalesce(array_agg(tenant) filter (where running_in_background >= quarter), '{}'),
        coalesce(sum(running_in_background), 0)
    into busy_tenants, busy_in_background, in_background
    from (
        select args ->> 'organization_id' as tenant, count(*) as running,
            count(*) filter (where task_name = any (background)) as running_in_background
        from public.procrastinate_jobs
        where worker_id = worker and status = 'doing' and args ? 'organization_id'
        group by 1
    ) as tenants;
    -- Only to pass over many jobs cheaply. What decides is asked below, in the snapshot that takes the job.
    select coalesce(array_agg(lock), '{}') into taken_locks
    from public.procrastinate_jobs where status = 'doing' and lock is not null;

    -- First what is fair, then, if there is no such job, what is left.
    for is_fair in reverse 1 .. 0 loop
        continue when is_fair = 1 and busy_tenants = '{}' and busy_in_background = '{}';
        update public.procrastinate_jobs set status = 'doing', worker_id = worker
        where id = (
            select waiting.id from public.procrastinate_jobs as waiting
            where waiting.status = 'todo'
                and (queues is null or waiting.queue_name = any (queues))
                and (waiting.scheduled_at is null or waiting.scheduled_at <= moment)
                and (waiting.lock is null or waiting.lock <> all (taken_locks))
                and (
                    not waiting.args ? 'organization_id'
                    or (
                        (is_fair = 0 or waiting.args ->> 'organization_id' <> all (busy_tenants))
                        and (
                            waiting.task_name <> all (background)
                            or in_background < half and (
                                is_fair = 0 or waiting.args ->> 'organization_id' <> all (busy_in_background)
                            )
                        )
                    )
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
