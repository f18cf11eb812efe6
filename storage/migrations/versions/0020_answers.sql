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

-- Recording --------------------------------------------------------------------------------------------

-- A delivery's row is written twice: when it arrives, and when it was processed. Out of the row, a payload is
-- written once. It is encrypted, so PostgreSQL cannot compress it.
alter table github_events alter column payload set storage external;
alter table github_events set (toast_tuple_target = 128);
