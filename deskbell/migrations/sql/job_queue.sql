-- The job queue: what Deskbell adds to the library's tables and functions, which lie in the schema `jobs` already.
-- Anybody who acts may add a job; only the system sees, runs and ends them. Runs as deskbell_owner.

-- The library names its objects without a schema. They are called from transactions with another search path, too.
do $$
declare
  routine regprocedure;
begin
  for routine in select oid from pg_proc where pronamespace = 'jobs'::regnamespace and proconfig is null loop
    execute format('alter function %s set search_path = jobs, pg_temp', routine);
  end loop;
end
$$;

-- Why a job failed, each time that it did.
create table if not exists jobs.errors (
  id bigint generated always as identity primary key,
  job_id bigint not null references jobs.procrastinate_jobs on delete cascade,
  attempt integer not null,
  at timestamptz not null default clock_timestamp(),
  error text not null
);
create index if not exists ix_errors_job_id on jobs.errors (job_id);

-- Whether a job must wait for another with its lock: the first entry found answers. Without this a long chain of jobs
-- with one lock costs the square of its length, each time that a worker asks for work.
create index if not exists ix_procrastinate_jobs_lock on jobs.procrastinate_jobs (lock, priority desc, id)
  where status in ('todo', 'doing');
-- A worker that leaves is taken out of its jobs: those that run, for a job that has ended names no worker.
create index if not exists ix_procrastinate_jobs_worker_id on jobs.procrastinate_jobs (worker_id)
  where worker_id is not null;

-- Adds a job in the transaction of whoever calls it; a worker hears of it when that commits.
create or replace function deskbell_add_job(
  job text,
  arguments jsonb default '{}',
  queue text default 'default',
  run_at timestamptz default null,
  lock text default null,
  priority integer default 0
) returns bigint
language sql volatile security definer set search_path = jobs, pg_temp as $$
  select (procrastinate_defer_jobs_v1(
    array[row(queue, job, priority, lock, null, arguments, run_at)::procrastinate_job_to_defer_v1]
  ))[1]
$$;

-- The job is done: called first of all in the job's own transaction, so that its effects and its end are one.
-- False: it is not this worker's any more, and must not be run.
create or replace function jobs.finish_job(job_id bigint, worker bigint) returns boolean
language sql volatile set search_path = jobs, pg_temp as $$
  with ended as (
    update procrastinate_jobs set status = 'succeeded', attempts = attempts + 1, worker_id = null
    where id = job_id and worker_id = worker and status = 'doing'
    returning id
  )
  select exists (select from ended)
$$;

-- The job failed: again after `wait`, or never if that is null. Nothing happens when it is not this worker's any more.
create or replace function jobs.fail_job(job_id bigint, worker bigint, error text, wait interval) returns void
language sql volatile set search_path = jobs, pg_temp as $$
  with ended as (
    update procrastinate_jobs set
      status = (case when wait is null then 'failed' else 'todo' end)::procrastinate_job_status,
      scheduled_at = coalesce(now() + wait, scheduled_at), attempts = attempts + 1, worker_id = null,
      abort_requested = false
    where id = job_id and worker_id = worker and status = 'doing'
    returning id, attempts
  )
  insert into errors (job_id, attempt, error) select id, attempts, error from ended
$$;

-- The worker stops before the job is done: somebody else may run it, and it does not count as a try.
create or replace function jobs.give_back_job(job_id bigint, worker bigint) returns void
language sql volatile set search_path = jobs, pg_temp as $$
  update procrastinate_jobs set status = 'todo', worker_id = null, abort_requested = false
  where id = job_id and worker_id = worker and status = 'doing'
$$;

-- Frees the jobs of workers that have not been heard of for `silence`: killed, or cut off. It counts as a try, so that
-- a job which kills its worker does not do so for ever. A job whose transaction still lives is locked and left alone.
create or replace function jobs.take_back_jobs(silence interval) returns table (job_id bigint, job text)
language sql volatile set search_path = jobs, pg_temp as $$
  with orphaned as (
    select j.id
    from procrastinate_jobs j
    left join procrastinate_workers w on w.id = j.worker_id
    where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - silence)
    for update of j skip locked
  ), gone as (
    delete from procrastinate_workers w
    where w.last_heartbeat < now() - silence
      and not exists (select from procrastinate_jobs j where j.worker_id = w.id and j.status = 'doing')
  )
  update procrastinate_jobs j
  set status = 'todo', worker_id = null, attempts = attempts + 1, abort_requested = false
  from orphaned
  where j.id = orphaned.id
  returning j.id, j.task_name
$$;

-- Removes jobs that ended longer ago than `done` (well) or `failed` (badly), and says how many.
create or replace function jobs.remove_old_jobs(done interval, failed interval) returns bigint
language sql volatile set search_path = jobs, pg_temp as $$
  with removed as (
    delete from procrastinate_jobs j
    where j.status not in ('todo', 'doing')
      and not exists (
        select from procrastinate_events e
        where e.job_id = j.id and e.at > now() - (case when j.status = 'failed' then failed else done end)
      )
    returning j.id
  )
  select count(*) from removed
$$;

-- A job is free again, or the next one with its lock is: tell the workers, who would otherwise find out by asking.
create or replace function jobs.notify_job_free() returns trigger
language plpgsql set search_path = jobs, pg_temp as $$
begin
  perform pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', new.id)::text);
  return null;
end
$$;
create or replace trigger notify_job_free after update of status on jobs.procrastinate_jobs
  for each row when (old.status = 'doing' and new.status <> 'doing' and (new.status = 'todo' or new.lock is not null))
  execute function jobs.notify_job_free();

revoke all on all functions in schema jobs from public;
grant usage on schema jobs to deskbell_system;
grant select, insert, update, delete on all tables in schema jobs to deskbell_system;
grant usage on all sequences in schema jobs to deskbell_system;
grant execute on all functions in schema jobs to deskbell_system;
revoke all on function deskbell_add_job from public;
grant execute on function deskbell_add_job to deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
