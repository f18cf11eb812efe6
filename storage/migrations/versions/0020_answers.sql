-- The queue --------------------------------------------------------------------------------------------

-- Queues jobs in the caller's transaction, in the order of the list, and returns their ids. Where a job with the
-- same queueing lock waits already, that one is enough: it is held as by hold_waiting_job, and the id is null.
-- The function runs with the rights of its caller.
create function defer_jobs(jobs jsonb) returns bigint[]
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
    described jsonb;
    wanted text;
    deferred bigint;
    ids bigint[] := '{}';
begin
    for described in select value from jsonb_array_elements(jobs) with ordinality order by ordinality loop
        wanted := described ->> 'queueing_lock';
        deferred := null;
        -- The waiting job may begin before it can be held, and another may be queued before the new one.
        while wanted is null or not public.hold_waiting_job(wanted) loop
            begin
                deferred := (public.procrastinate_defer_jobs_v1(array[row(
                    described ->> 'queue', described ->> 'task', (described ->> 'priority')::integer,
                    described ->> 'lock', wanted, described -> 'arguments', (described ->> 'at')::timestamptz
                )::public.procrastinate_job_to_defer_v1]))[1];
                exit;
            exception when unique_violation then
                if wanted is null then
                    raise;
                end if;
            end;
        end loop;
        ids := ids || deferred;
    end loop;
    return ids;
end $$;

-- Lets a worker run a job that its transaction has queued, so that the job need not be fetched: only a job of the
-- transaction's tenant, and only if fetch_fair_job could take it next on its lock. The job runs from the commit on.
-- If that worker dies, it is restarted like any other.
create function start_job(job bigint, worker bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    update public.procrastinate_jobs as started set status = 'doing', worker_id = worker
    where id = job and status = 'todo' and scheduled_at is null
        and args ->> 'organization_id' = current_setting('app.tenant', true)
        and not exists (
            select from public.procrastinate_jobs as other
            where other.lock = started.lock and other.status = 'doing'
        )
        and id = (
            select other.id from public.procrastinate_jobs as other
            where other.lock = started.lock and other.status = 'todo'
            order by other.priority desc, other.id limit 1
        );
    return found;
exception when unique_violation then
    return false; -- Another worker has just taken a job with the same lock.
end $$;

-- The jobs that count as running for a worker. It compares them with those that it really runs.
create function running_jobs(worker bigint) returns setof bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select id from public.procrastinate_jobs where worker_id = worker and status = 'doing'
$$;

-- Puts those of the jobs back into the queue that count as running for the worker, and returns the names of their
-- tasks. The worker calls it for jobs that it does not run, because a connection broke at their start or end.
create function put_back_jobs(worker bigint, jobs bigint[], moment timestamptz) returns setof varchar
language plpgsql security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan as $$
declare
    lost record;
begin
    for lost in
        select id, task_name from public.procrastinate_jobs
        where id = any (jobs) and worker_id = worker and status = 'doing' order by id for update
    loop
        begin
            perform public.retry_running_job(lost.id, moment);
        exception when unique_violation then -- Another waiting job does the same work.
            perform public.finish_running_job(lost.id, 'failed', true);
        end;
        return next lost.task_name;
    end loop;
end $$;

-- Reads that must not grow with a tenant's history -------------------------------------------------------

-- An item's or pull request's number. Row-level security keeps an index on an expression such as
-- after ->> 'number' from being used, because the operator might show values of other tenants' rows: only the index
-- of a column is used. This rewrites the table.
alter table timeline add column number text
    generated always as (coalesce(after #>> '{item,number}', after ->> 'number')) stored;
drop index timeline_by_number;
create index timeline_by_number on timeline (organization_id, project_id, number) where number is not null;
-- What was recorded since the last measurement.
create index timeline_by_recording on timeline (organization_id, project_id, created_at);
