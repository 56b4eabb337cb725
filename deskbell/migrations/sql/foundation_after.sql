-- Functions, triggers and the view that read the foundation's tables. Runs after the tables are made.

-- The actor's organization, and the same only where its members see each other's tickets. Both look past row security,
-- as the policies that call them would otherwise call themselves.
create function deskbell_organization() returns bigint
language sql stable parallel safe security definer set search_path = public, pg_temp
as $$ select organization_id from users where id = deskbell_actor() $$;

create function deskbell_shared_organization() returns bigint
language sql stable parallel safe security definer set search_path = public, pg_temp
as $$
  select o.id from users u join organizations o on o.id = u.organization_id
   where u.id = deskbell_actor() and o.shares_tickets
$$;

-- Make the row of the operation that the first change of a transaction begins; the later changes find its id in the setting.
create function deskbell_begin_operation() returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
  operation bigint;
begin
  insert into operations (act, user_id, channel, cause)
  values (coalesce(current_setting('deskbell.act', true), ''), deskbell_actor(), deskbell_channel(), deskbell_cause())
  returning id into operation;
  perform set_config('deskbell.operation', operation::text, true);
  return operation;
end
$$;

-- What a token or a browser session stands for. The application role may call these before it has become anybody;
-- each takes the SHA-256 of a secret with at least 192 random bits.
create function deskbell_token_holder(hash bytea)
returns table (user_id bigint, role varchar, email varchar, full_name varchar, time_zone varchar, scopes varchar[])
language sql stable security definer set search_path = public, pg_temp
as $$
  select u.id, u.role, u.email, u.full_name, u.time_zone, t.scopes
    from api_tokens t join users u on u.id = t.user_id
   where t.token_hash = hash and t.revoked_at is null and u.is_active
     and (t.expires_at is null or t.expires_at > clock_timestamp())
$$;

create function deskbell_session_holder(hash bytea)
returns table (user_id bigint, role varchar, email varchar, full_name varchar, time_zone varchar, session_id bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
  select u.id, u.role, u.email, u.full_name, u.time_zone, s.id
    from login_sessions s join users u on u.id = s.user_id
   where s.token_hash = hash and u.is_active and s.expires_at > clock_timestamp()
$$;

create trigger keep_updated_at before update on organizations for each row execute function deskbell_touch();
create trigger keep_updated_at before update on users for each row execute function deskbell_touch();
create trigger keep_updated_at before update on teams for each row execute function deskbell_touch();
create trigger keep_updated_at before update on comments for each row execute function deskbell_touch();
create trigger keep_before_insert before insert on tickets for each row execute function deskbell_ticket_before_insert();
create trigger keep_before_update before update on tickets for each row execute function deskbell_ticket_before_update();

-- Names for everybody who may know them, addresses for the desk alone. Runs as its owner on purpose: a customer may read
-- the name of an agent who answered them, but has no row policy on that agent.
create view people with (security_barrier) as
select u.id, u.full_name, u.is_staff,
       case when current_user <> 'deskbell_customer' or u.id = (select deskbell_actor()) then u.email end as email
  from users u
 where current_user <> 'deskbell_customer'
    or u.id = (select deskbell_actor())
    or u.organization_id = (select deskbell_shared_organization())
    or exists (
         select from tickets t
          where u.id in (t.creator_id, t.assignee_id) and t.deleted_at is null
            and (t.creator_id = (select deskbell_actor()) or t.organization_id = (select deskbell_shared_organization())))
    or exists (
         select from comments c join tickets t on t.id = c.ticket_id
          where c.author_id = u.id and not c.is_internal and t.deleted_at is null
            and (t.creator_id = (select deskbell_actor()) or t.organization_id = (select deskbell_shared_organization())));

grant select on people to deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system, deskbell_readonly;
grant usage on sequence ticket_number_seq to deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
revoke all on function deskbell_begin_operation(), deskbell_token_holder(bytea), deskbell_session_holder(bytea) from public;
grant execute on function deskbell_token_holder(bytea), deskbell_session_holder(bytea) to deskbell_app;

-- Takes what no month takes: without it every write of the desk would fail once the months ahead are used up.
create table audit_logs_default partition of audit_logs default;
alter table audit_logs_default enable row level security, force row level security;

-- Partitions of the audit log for the months from the current one on, made ahead by every start and once a day. What
-- lies in the default partition by then is moved; the lock keeps others from adding to it meanwhile.
create function deskbell_make_partitions(months integer) returns integer
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
revoke all on function deskbell_make_partitions(integer) from public;
grant execute on function deskbell_make_partitions(integer) to deskbell_system, deskbell_admin;
