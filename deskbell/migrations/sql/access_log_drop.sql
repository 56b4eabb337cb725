-- The access log, and the months of the audit log as they were before it.

drop function deskbell_prune_partitions(text, integer, boolean);
drop function deskbell_partitions();
drop function deskbell_record_access(jsonb);
drop table access_logs;
drop policy owner_select on audit_logs_default;

-- Partitions of the audit log for the months from the current one on, made ahead by every start and once a day. What
-- lies in the default partition by then is moved; the lock keeps others from adding to it meanwhile.
create or replace function deskbell_make_partitions(months integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  month timestamp;
  name text;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('deskbell_make_partitions'));
  for i in 0 .. months loop
    month := date_trunc('month', now() at time zone 'UTC') + make_interval(months => i);
    name := 'audit_logs_' || to_char(month, '"y"YYYY"m"MM');
    if to_regclass(name) is null then
      lock table audit_logs_default in access exclusive mode;
      execute format('create table %I (like audit_logs including defaults including constraints)', name);
      execute format('with moved as (delete from audit_logs where created_at >= %1$L and created_at < %2$L returning *)
                      insert into %3$I select * from moved',
                     month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC', name);
      execute format('alter table %I enable row level security, force row level security', name);
      execute format('alter table audit_logs attach partition %I for values from (%L) to (%L)',
                     name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
      made := made + 1;
    end if;
  end loop;
  return made;
end
$$;
