-- What an administrator sees of the server: statements, sizes, connections, partitions, jobs. Runs as deskbell_owner.
-- The functions run with their owner's rights, and only administrators and the system may call them.

-- Jobs by state: a queue's past is long, what waits and what failed is little.
create index ix_procrastinate_jobs_status on jobs.procrastinate_jobs (status, id)
  where status in ('todo', 'doing', 'failed');

-- Says in the log of operations what an administrator does that leaves no row in a table of the domain.
create function deskbell_note_operation(what text) returns void
language plpgsql volatile set search_path = public, pg_temp as $$
begin
  perform set_config('deskbell.act', left(concat_ws(' ', nullif(current_setting('deskbell.act', true), ''), what), 200), true);
  perform deskbell_begin_operation();
end
$$;

create function deskbell_server()
returns table (
  version text, started_at timestamptz, name text, bytes bigint, revision text, is_standby boolean,
  cache_hit_ratio double precision, deadlocks bigint, temporary_bytes bigint, connections integer,
  max_connections integer, transaction_age bigint, statistics_since timestamptz
)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select current_setting('server_version'), pg_postmaster_start_time(), current_database()::text,
         pg_database_size(d.oid), (select version_num::text from alembic_version), pg_is_in_recovery(),
         s.blks_hit / nullif(s.blks_hit + s.blks_read, 0)::double precision, s.deadlocks, s.temp_bytes,
         (select count(*)::integer from pg_stat_activity where backend_type = 'client backend'),
         current_setting('max_connections')::integer, age(d.datfrozenxid)::bigint, s.stats_reset
    from pg_database d join pg_stat_database s on s.datid = d.oid where d.datname = current_database();
end
$$;

-- A partitioned table is the sum of its partitions; `table_bytes` has the long texts beside the rows.
create function deskbell_table_sizes()
returns table (
  name text, row_estimate bigint, dead_rows bigint, table_bytes bigint, index_bytes bigint,
  last_vacuum timestamptz, last_analyze timestamptz
)
language sql stable security definer set search_path = public, pg_temp as $$
  select case n.nspname when 'public' then '' else n.nspname || '.' end || r.relname,
         sum(case when c.reltuples < 0 then s.n_live_tup else c.reltuples end)::bigint, sum(s.n_dead_tup)::bigint,
         sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint,
         max(greatest(s.last_vacuum, s.last_autovacuum)), max(greatest(s.last_analyze, s.last_autoanalyze))
    from pg_class c
    join pg_stat_user_tables s on s.relid = c.oid
    join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
    join pg_namespace n on n.oid = r.relnamespace
   where c.relkind in ('r', 'm') and n.nspname in ('public', 'jobs')
   group by n.nspname, r.relname
   order by sum(pg_total_relation_size(c.oid)) desc, 1
$$;

-- `is_unused`: nothing has read it since the statistics began, and it guards nothing either.
create function deskbell_index_sizes()
returns table (name text, table_name text, bytes bigint, scans bigint, is_unused boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select r.relname::text, case n.nspname when 'public' then '' else n.nspname || '.' end || t.relname,
         sum(pg_relation_size(x.indexrelid))::bigint, sum(s.idx_scan)::bigint,
         sum(s.idx_scan) = 0 and not bool_or(x.indisunique or x.indisexclusion)
    from pg_index x
    join pg_stat_user_indexes s on s.indexrelid = x.indexrelid
    join pg_class r on r.oid = coalesce(pg_partition_root(x.indexrelid), x.indexrelid)
    join pg_class t on t.oid = coalesce(pg_partition_root(x.indrelid), x.indrelid)
    join pg_namespace n on n.oid = t.relnamespace
   where n.nspname in ('public', 'jobs')
   group by n.nspname, r.relname, t.relname
   order by 3 desc, 1
$$;

-- What others' connections do is null where this role may not read it.
create function deskbell_connections()
returns table (application text, role text, state text, count integer, longest_since timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select application_name, usename::text, state, count(*)::integer, min(state_change)
    from pg_stat_activity
   where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
   group by 1, 2, 3 order by 4 desc, 1, 2, 3
$$;

-- Without their statements, whose values are nobody else's business.
create function deskbell_transactions(longer_than interval, most integer)
returns table (
  pid integer, application text, role text, state text, waits_for text, started_at timestamptz, blocked_by integer[]
)
language sql stable security definer set search_path = public, pg_temp as $$
  select pid, application_name, usename::text, state, wait_event, xact_start, pg_blocking_pids(pid)
    from pg_stat_activity
   where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
     and xact_start < clock_timestamp() - longer_than
   order by xact_start limit most
$$;

-- Partitions by time, as the catalog knows them: nothing is counted. The one without a range takes what no other takes.
create function deskbell_partition_ranges()
returns table (
  table_name text, name text, starts_at timestamptz, ends_at timestamptz, row_estimate bigint, bytes bigint
)
language sql stable security definer set search_path = public, pg_temp as $$
  select p.relname::text, c.relname::text,
         (regexp_match(b.bound, 'FROM \(''([^'']+)''\)'))[1]::timestamptz,
         (regexp_match(b.bound, 'TO \(''([^'']+)''\)'))[1]::timestamptz,
         (case when c.reltuples < 0 then pg_stat_get_live_tuples(c.oid) else c.reltuples end)::bigint,
         pg_total_relation_size(c.oid)
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_class p on p.oid = i.inhparent
    cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as bound) b
   where p.relkind = 'p' and c.relkind = 'r' and p.relnamespace = 'public'::regnamespace
     and exists (
       select from pg_partitioned_table k join pg_attribute a on a.attrelid = k.partrelid and a.attnum = k.partattrs[0]
        where k.partrelid = p.oid and k.partstrat = 'r' and a.atttypid = 'timestamptz'::regtype
     )
   order by 1, 3 nulls last
$$;

-- `most`: what is more than that is not counted. The oldest is looked for among the thousand that were added first.
create function deskbell_queue(most integer)
returns table (
  waiting integer, running integer, failed integer, workers integer, oldest_id bigint, oldest_job text,
  oldest_since timestamptz
)
language sql stable security definer set search_path = jobs, pg_temp as $$
  select (select count(*) from (select from procrastinate_jobs where status = 'todo' limit most) w)::integer,
         (select count(*) from (select from procrastinate_jobs where status = 'doing' limit most) r)::integer,
         (select count(*) from (select from procrastinate_jobs where status = 'failed' limit most) f)::integer,
         (select count(*) from procrastinate_workers where last_heartbeat > now() - interval '30 seconds')::integer,
         oldest.*
    from (select) one left join lateral (
      select j.id, j.task_name::text, j.since
        from (
          select t.id, t.task_name, coalesce(t.scheduled_at, (select min(at) from procrastinate_events e where e.job_id = t.id)) as since
            from (select * from procrastinate_jobs where status = 'todo' order by id limit 1000) t
           where t.scheduled_at is null or t.scheduled_at <= now()
        ) j order by j.since, j.id limit 1
    ) oldest on true
$$;

-- Newest first, those before `before`. `wanted`: waiting, running, failed, done, or null for all.
create function deskbell_jobs(wanted text, before bigint, most integer)
returns table (
  id bigint, job text, queue text, state text, attempts integer, arguments jsonb, added_at timestamptz,
  run_at timestamptz, failed_at timestamptz, reason text
)
language plpgsql stable security definer set search_path = jobs, pg_temp as $$
declare
  condition text := case wanted
    when 'waiting' then 'status = ''todo'''
    when 'running' then 'status = ''doing'''
    when 'failed' then 'status = ''failed'''
    when 'done' then 'status in (''succeeded'', ''cancelled'', ''aborted'')'
    else 'true' end;
begin
  return query execute format($query$
    select j.id, j.task_name::text, j.queue_name::text,
           case j.status when 'todo' then 'waiting' when 'doing' then 'running' when 'failed' then 'failed'
             else 'done' end,
           j.attempts, j.args, (select min(e.at) from procrastinate_events e where e.job_id = j.id),
           j.scheduled_at, x.at, left(split_part(x.error, E'\n', 1), 500)
      from (select * from procrastinate_jobs where %s and ($1 is null or id < $1) order by id desc limit $2) j
      left join lateral (select at, error from errors where job_id = j.id order by errors.id desc limit 1) x on true
     order by j.id desc
  $query$, condition) using before, most;
end
$$;

-- Runs a job again that failed, as often as a new one, or at once one that waits for its next try. Returns the state in
-- which it was, and null where there is none; nothing happens to others.
create function deskbell_retry_job(wanted bigint) returns text
language plpgsql volatile security definer set search_path = jobs, pg_temp as $$
declare
  job procrastinate_jobs;
begin
  select * into job from procrastinate_jobs where id = wanted for update;
  if job.status = 'failed' or (job.status = 'todo' and job.attempts > 0) then
    update procrastinate_jobs set status = 'todo', scheduled_at = now(), worker_id = null,
      attempts = case job.status when 'failed' then 0 else attempts end
    where id = wanted;
    perform public.deskbell_note_operation(format('(job %s, %s)', job.id, job.task_name));
    perform pg_notify('procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', wanted)::text);
  end if;
  return case job.status when 'todo' then case when job.attempts > 0 then 'retrying' else 'waiting' end
    when 'doing' then 'running' else job.status::text end;
end
$$;

-- Whether statements are counted: 'ready', or what is missing. `forgotten`: how often rare ones had to make room.
create function deskbell_statement_source()
returns table (state text, since timestamptz, forgotten bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  version integer[];
  place name;
begin
  select string_to_array(e.extversion, '.')::integer[], n.nspname into version, place
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements';
  state := case
    when current_setting('pg_stat_statements.max', true) is null then 'not_loaded'
    when place is null then 'not_created'
    when version < '{1,9}' then 'outdated'
    when not pg_has_role('pg_read_all_stats', 'usage')
      or not has_schema_privilege(place, 'usage') then 'not_allowed'
    else 'ready' end;
  if state = 'ready' then
    execute format('select stats_reset, dealloc from %I.pg_stat_statements_info', place) into since, forgotten;
    if version >= '{1,11}' then
      execute format('select coalesce(min(stats_since), $1) from %I.pg_stat_statements(false) where dbid = $2', place)
        into since using since, (select oid from pg_database where datname = current_database());
    end if;
  end if;
  return next;
end
$$;

-- Deskbell's statements in this database, by 'total', 'mean' or 'max' time or by 'calls'. Their values are parameters.
-- What is none is blanked: a statement that changes its role, or whose entry made room while it ran, is kept as it was
-- written. Utility statements, which may hold a password, are left out even where the server counts them.
create function deskbell_slow_statements(sort text, most integer)
returns table (
  id text, statement text, roles text[], calls bigint, total_ms double precision, mean_ms double precision,
  max_ms double precision, row_count bigint, share double precision, cache_hit_ratio double precision
)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  place name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                  where e.extname = 'pg_stat_statements');
begin
  return query execute format($query$
    with found as (
      select s.queryid, (array_agg(s.query))[1] as query, array_agg(distinct r.rolname::text order by r.rolname::text) as roles,
             sum(s.calls)::bigint as calls, sum(s.total_exec_time) as total, max(s.max_exec_time) as longest,
             sum(s.rows)::bigint as row_count, sum(s.shared_blks_hit) as hit, sum(s.shared_blks_read) as read
        from %I.pg_stat_statements s
        join pg_roles r on r.oid = s.userid
       where s.dbid = (select oid from pg_database where datname = current_database()) and s.toplevel
         and r.rolname in ('deskbell_owner', 'deskbell_app', 'deskbell_readonly', 'deskbell_customer',
                           'deskbell_agent', 'deskbell_admin', 'deskbell_system')
         and s.query ~* '^(\s|\(|--[^\n]*\n|/\*([^*]|\*[^/])*\*+/)*(select|insert|update|delete|merge|with|values)\M'
       group by s.queryid
    ), slowest as (
      select f.*, f.total / nullif(sum(f.total) over (), 0) as share, f.total / nullif(f.calls, 0) as mean,
             (f.hit / nullif(f.hit + f.read, 0))::double precision as hit_ratio
        from found f
       order by case $1 when 'mean' then f.total / nullif(f.calls, 0) when 'max' then f.longest
                        when 'calls' then f.calls else f.total end desc nulls last, f.queryid
       limit $2
    )
    select queryid::text,
           left(regexp_replace(regexp_replace(regexp_replace(query, '(\$[A-Za-z_]*\$).*?\1', '''…''', 'g'),
                  '\m[eE]''(\\.|''''|[^''\\])*(''|$)|''(''''|[^''])*(''|$)', '''…''', 'g'),
                  '(?<![[:alnum:]_$.])\.?[0-9][[:alnum:]_.]*', '…', 'g'), 10000),
           roles, calls, total, mean, longest, row_count, share, hit_ratio
      from slowest
     order by case $1 when 'mean' then mean when 'max' then longest when 'calls' then calls else total end
              desc nulls last, queryid
  $query$, place) using sort, most;
end
$$;

-- Begins to count anew, for Deskbell's statements in this database alone. False: this role may not.
create function deskbell_forget_statements() returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  place name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
                  where e.extname = 'pg_stat_statements');
  routine oid := (select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                   where n.nspname = place and p.proname = 'pg_stat_statements_reset');
  role oid;
begin
  if routine is null or not has_function_privilege(routine, 'execute') then
    return false;
  end if;
  perform deskbell_note_operation('');
  for role in select r.oid from pg_roles r where r.rolname in (
    'deskbell_owner', 'deskbell_app', 'deskbell_readonly', 'deskbell_customer', 'deskbell_agent', 'deskbell_admin',
    'deskbell_system'
  ) loop
    execute format('select %I.pg_stat_statements_reset($1, $2)', place)
      using role, (select oid from pg_database where datname = current_database());
  end loop;
  return true;
end
$$;

revoke all on function deskbell_note_operation(text), deskbell_server(), deskbell_table_sizes(),
  deskbell_index_sizes(), deskbell_connections(), deskbell_transactions(interval, integer), deskbell_partition_ranges(),
  deskbell_queue(integer), deskbell_jobs(text, bigint, integer), deskbell_retry_job(bigint),
  deskbell_statement_source(), deskbell_slow_statements(text, integer), deskbell_forget_statements() from public;
grant execute on function deskbell_server(), deskbell_table_sizes(), deskbell_index_sizes(), deskbell_connections(),
  deskbell_transactions(interval, integer), deskbell_partition_ranges(), deskbell_queue(integer),
  deskbell_jobs(text, bigint, integer), deskbell_retry_job(bigint), deskbell_statement_source(),
  deskbell_slow_statements(text, integer), deskbell_forget_statements() to deskbell_admin, deskbell_system;
