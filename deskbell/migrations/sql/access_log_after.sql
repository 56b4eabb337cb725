-- What the access log needs beside its table, and what both logs need for their months.

-- Takes what no month takes, as that of the audit log does. The owner counts what lies there.
create table access_logs_default partition of access_logs default;
alter table access_logs_default enable row level security, force row level security;
create policy owner_select on access_logs_default for select to deskbell_owner using (true);
create policy owner_select on audit_logs_default for select to deskbell_owner using (true);

-- The only way into the access log, for the system alone: what was read, as a list of lists. JSON, as one text costs who
-- sends it a quarter of thirteen arrays. Numbers become tickets and hashes of secrets become tokens and sessions here; what
-- is gone by now stays unknown.
create function deskbell_record_access(entries jsonb) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
  insert into access_logs (at, user_id, token_id, session_id, role, channel, act, kind,
                           ticket_id, record_id, query, shown, address, request_id)
  select r.at, r.user_id, k.id, s.id, r.role, r.channel, r.act, r.kind,
         coalesce(t.id, a.ticket_id), r.record_id, r.query, r.shown, r.address, r.request_id
    from (select (e ->> 0)::timestamptz as at, (e ->> 1)::bigint as user_id, decode(e ->> 2, 'hex') as secret,
                 e ->> 3 as role, e ->> 4 as channel, e ->> 5 as act, e ->> 6 as kind, e ->> 7 as number,
                 (e ->> 8)::bigint as record_id, e ->> 9 as query, (e ->> 10)::integer as shown, e ->> 11 as address,
                 e ->> 12 as request_id, n
            from jsonb_array_elements(entries) with ordinality x (e, n)) r
    left join tickets t on t.ticket_number = r.number
    left join attachments a on r.kind = 'attachment' and a.id = r.record_id
    left join api_tokens k on k.token_hash = r.secret
    left join login_sessions s on s.token_hash = r.secret
   order by r.n
$$;

-- The parts of both logs: months, and the default partition, which has no bounds. Rows of parts beyond 64 MB are as of the
-- planner's statistics.
create function deskbell_partitions()
returns table (log text, name text, first timestamptz, last timestamptz, bytes bigint, entries bigint, is_exact boolean)
language plpgsql stable security definer set search_path = public, pg_temp set timezone = 'UTC' set datestyle = 'ISO'
as $$
declare
  part record;
  span text[];
begin
  for part in
    select i.inhparent::regclass::text as log, c.oid, c.relname::text as name, c.reltuples::bigint as about,
           pg_get_expr(c.relpartbound, c.oid) as bound, k.attname as key
      from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
      join pg_partitioned_table p on p.partrelid = i.inhparent
      join pg_attribute k on k.attrelid = i.inhparent and k.attnum = p.partattrs[0]
     where i.inhparent in ('audit_logs'::regclass, 'access_logs'::regclass)
  loop
    span := regexp_match(part.bound, $r$FROM \('(.+)'\) TO \('(.+)'\)$r$);
    log := part.log;
    name := part.name;
    first := span[1]::timestamptz;
    last := span[2]::timestamptz;
    bytes := pg_total_relation_size(part.oid);
    entries := part.about;
    is_exact := span is null or part.about < 0 or pg_relation_size(part.oid) < 64 * 1024 * 1024;
    if span is null then
      execute format('select count(*) from %I', part.name) into entries;
    elsif is_exact then
      execute format('select count(*) from %I where %I >= $1 and %I < $2', part.log, part.key, part.key)
         into entries using first, last;
    end if;
    return next;
  end loop;
end
$$;

-- Partitions of both logs for the months from the current one on, made ahead by every start and once a day, and for
-- months past of which something lies in a default partition. That is moved; the lock keeps others from adding to it
-- meanwhile.
create or replace function deskbell_make_partitions(months integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'
as $$
declare
  log record;
  month timestamp;
  present timestamp := date_trunc('month', now() at time zone 'UTC');
  name text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('deskbell_make_partitions'));
  for log in select * from (values ('audit_logs', 'created_at'), ('access_logs', 'at')) l (name, key) loop
    for month in execute format(
      'select date_trunc(''month'', %I at time zone ''UTC'') from %I where %I < $1 group by 1
        union select $1 at time zone ''UTC'' + make_interval(months => i) from generate_series(0, $2) i order by 1',
      log.key, log.name || '_default', log.key) using present at time zone 'UTC', months
    loop
      name := log.name || '_' || to_char(month, '"y"YYYY"m"MM');
      if to_regclass(name) is null then
        execute format('lock table %I in access exclusive mode', log.name || '_default');
        execute format('create table %I (like %I including defaults including constraints)', name, log.name);
        execute format('with moved as (delete from %1$I where %2$I >= %3$L and %2$I < %4$L returning *)
                        insert into %5$I select * from moved',
                       log.name, log.key, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC', name);
        execute format('alter table %I enable row level security, force row level security', name);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                       log.name, name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end
$$;

-- Drops the months of a log that are over since `months` months or longer, in UTC, and returns what they were; a dry run
-- only returns it. The limits hold whoever calls: these two logs, whole months, never the default partition, and never
-- less than half a year of the audit log or a month of the access log. It gives up rather than let readers and writers
-- queue behind it: what it waits for the log itself is all that they wait for it. What it did is in the audit log.
create function deskbell_prune_partitions(log text, months integer, dry_run boolean)
returns table (name text, first timestamptz, last timestamptz, bytes bigint, entries bigint, is_exact boolean)
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '250ms'
as $$
#variable_conflict use_column
declare
  least_months constant jsonb := '{"audit_logs": 6, "access_logs": 1}';
  until timestamptz;
  part record;
  parts jsonb := '[]';
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if log is null or not least_months ? log then
    raise exception 'only the audit log and the access log have months that are dropped' using errcode = 'invalid_parameter_value';
  elsif months is null or months < (least_months ->> log)::integer then
    raise exception '% keeps at least % months', log, least_months ->> log using errcode = 'invalid_parameter_value';
  end if;
  if not dry_run then
    perform pg_advisory_xact_lock(hashtext('deskbell_make_partitions'));
  end if;
  until := (date_trunc('month', now() at time zone 'UTC') - make_interval(months => months)) at time zone 'UTC';
  for part in
    select p.* from deskbell_partitions() p where p.log = deskbell_prune_partitions.log and p.last <= until order by p.first
  loop
    parts := parts || to_jsonb(part);
  end loop;
  if not dry_run and parts <> '[]' then
    operation := coalesce(operation, deskbell_begin_operation());
    execute format('lock table only %I in access exclusive mode', log);
    for part in select * from jsonb_to_recordset(parts) p (name text, first timestamptz) loop
      execute format('drop table %I', part.name);
    end loop;
    insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
    select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), log,
           to_char((p ->> 'first')::timestamptz at time zone 'UTC', 'YYYYMM')::bigint, 'PRUNE', p - 'log'
      from jsonb_array_elements(parts) p;
  end if;
  return query
    select p.* from jsonb_to_recordset(parts)
      p (name text, first timestamptz, last timestamptz, bytes bigint, entries bigint, is_exact boolean);
end
$$;

revoke all on function deskbell_record_access(jsonb), deskbell_partitions(), deskbell_prune_partitions(text, integer, boolean)
  from public;
grant execute on function deskbell_record_access(jsonb), deskbell_prune_partitions(text, integer, boolean) to deskbell_system;
grant execute on function deskbell_partitions() to deskbell_system, deskbell_admin;
