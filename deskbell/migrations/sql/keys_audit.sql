-- The functions of the audit triggers, rendered from the models by deskbell.audit.triggers. A test compares both.


create or replace function deskbell_audit_organizations_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'organizations', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_organizations_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'organizations', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.shares_tickets is distinct from n.shares_tickets then jsonb_build_object('shares_tickets', jsonb_build_array(o.shares_tickets, n.shares_tickets)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_organizations_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'organizations', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'shares_tickets', o.shares_tickets, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_tags_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tags', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_tags_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tags', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.color is distinct from n.color then jsonb_build_object('color', jsonb_build_array(o.color, n.color)) else '{}' end
          || case when o.description is distinct from n.description then jsonb_build_object('description', jsonb_build_array(o.description, n.description)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_tags_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tags', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'color', o.color, 'description', o.description, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_teams_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'teams', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_teams_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'teams', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.description is distinct from n.description then jsonb_build_object('description', jsonb_build_array(o.description, n.description)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_teams_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'teams', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'description', o.description, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_users_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'users', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_users_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'users', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.email is distinct from n.email then jsonb_build_object('email', jsonb_build_array(o.email, n.email)) else '{}' end
          || case when o.full_name is distinct from n.full_name then jsonb_build_object('full_name', jsonb_build_array(o.full_name, n.full_name)) else '{}' end
          || case when o.role is distinct from n.role then jsonb_build_object('role', jsonb_build_array(o.role, n.role)) else '{}' end
          || case when o.is_active is distinct from n.is_active then jsonb_build_object('is_active', jsonb_build_array(o.is_active, n.is_active)) else '{}' end
          || case when o.password_hash is distinct from n.password_hash then jsonb_build_object('password_hash', jsonb_build_array(case when o.password_hash is not null then '[secret]'::text end, case when n.password_hash is not null then '[secret]'::text end)) else '{}' end
          || case when o.organization_id is distinct from n.organization_id then jsonb_build_object('organization_id', jsonb_build_array(o.organization_id, n.organization_id)) else '{}' end
          || case when o.locale is distinct from n.locale then jsonb_build_object('locale', jsonb_build_array(o.locale, n.locale)) else '{}' end
          || case when o.time_zone is distinct from n.time_zone then jsonb_build_object('time_zone', jsonb_build_array(o.time_zone, n.time_zone)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end
          || case when o.last_login is distinct from n.last_login then jsonb_build_object('last_login', jsonb_build_array(o.last_login, n.last_login)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_users_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'users', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'email', o.email, 'full_name', o.full_name, 'role', o.role, 'is_active', o.is_active, 'password_hash', case when o.password_hash is not null then '[secret]'::text end, 'organization_id', o.organization_id, 'locale', o.locale, 'time_zone', o.time_zone, 'created_at', o.created_at, 'updated_at', o.updated_at, 'last_login', o.last_login)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_api_tokens_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'api_tokens', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_api_tokens_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'api_tokens', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.user_id is distinct from n.user_id then jsonb_build_object('user_id', jsonb_build_array(o.user_id, n.user_id)) else '{}' end
          || case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.token_hash is distinct from n.token_hash then jsonb_build_object('token_hash', jsonb_build_array(case when o.token_hash is not null then '[secret]'::text end, case when n.token_hash is not null then '[secret]'::text end)) else '{}' end
          || case when o.hint is distinct from n.hint then jsonb_build_object('hint', jsonb_build_array(o.hint, n.hint)) else '{}' end
          || case when o.scopes is distinct from n.scopes then jsonb_build_object('scopes', jsonb_build_array(o.scopes, n.scopes)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end
          || case when o.expires_at is distinct from n.expires_at then jsonb_build_object('expires_at', jsonb_build_array(o.expires_at, n.expires_at)) else '{}' end
          || case when o.revoked_at is distinct from n.revoked_at then jsonb_build_object('revoked_at', jsonb_build_array(o.revoked_at, n.revoked_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_api_tokens_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'api_tokens', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'user_id', o.user_id, 'name', o.name, 'token_hash', case when o.token_hash is not null then '[secret]'::text end, 'hint', o.hint, 'scopes', o.scopes, 'created_at', o.created_at, 'expires_at', o.expires_at, 'revoked_at', o.revoked_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_login_sessions_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'login_sessions', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_login_sessions_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'login_sessions', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.user_id is distinct from n.user_id then jsonb_build_object('user_id', jsonb_build_array(o.user_id, n.user_id)) else '{}' end
          || case when o.token_hash is distinct from n.token_hash then jsonb_build_object('token_hash', jsonb_build_array(case when o.token_hash is not null then '[secret]'::text end, case when n.token_hash is not null then '[secret]'::text end)) else '{}' end
          || case when o.address is distinct from n.address then jsonb_build_object('address', jsonb_build_array(o.address, n.address)) else '{}' end
          || case when o.user_agent is distinct from n.user_agent then jsonb_build_object('user_agent', jsonb_build_array(o.user_agent, n.user_agent)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end
          || case when o.expires_at is distinct from n.expires_at then jsonb_build_object('expires_at', jsonb_build_array(o.expires_at, n.expires_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_login_sessions_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'login_sessions', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'user_id', o.user_id, 'token_hash', case when o.token_hash is not null then '[secret]'::text end, 'address', o.address, 'user_agent', o.user_agent, 'created_at', o.created_at, 'expires_at', o.expires_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_saved_views_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_saved_views_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.query is distinct from n.query then jsonb_build_object('query', jsonb_build_array(o.query, n.query)) else '{}' end
          || case when o.columns is distinct from n.columns then jsonb_build_object('columns', jsonb_build_array(o.columns, n.columns)) else '{}' end
          || case when o.sort is distinct from n.sort then jsonb_build_object('sort', jsonb_build_array(o.sort, n.sort)) else '{}' end
          || case when o.owner_id is distinct from n.owner_id then jsonb_build_object('owner_id', jsonb_build_array(o.owner_id, n.owner_id)) else '{}' end
          || case when o.shared_with is distinct from n.shared_with then jsonb_build_object('shared_with', jsonb_build_array(o.shared_with, n.shared_with)) else '{}' end
          || case when o.team_id is distinct from n.team_id then jsonb_build_object('team_id', jsonb_build_array(o.team_id, n.team_id)) else '{}' end
          || case when o.position is distinct from n.position then jsonb_build_object('position', jsonb_build_array(o.position, n.position)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_saved_views_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'query', o.query, 'columns', o.columns, 'sort', o.sort, 'owner_id', o.owner_id, 'shared_with', o.shared_with, 'team_id', o.team_id, 'position', o.position, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_team_members_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'team_members', n.team_id, 'CREATE', jsonb_build_object('user_id', jsonb_build_array(null, n.user_id))
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_team_members_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'team_members', d.team_id, 'UPDATE', d.changes || jsonb_build_object('user_id', jsonb_build_array(d.user_id, d.user_id))
    from (
      select n.team_id, n.user_id, case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.team_id = n.team_id and o.user_id = n.user_id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_team_members_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'team_members', o.team_id, 'DELETE',
    jsonb_build_object('team_id', o.team_id, 'user_id', o.user_id, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_tickets_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_tickets_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.ticket_number is distinct from n.ticket_number then jsonb_build_object('ticket_number', jsonb_build_array(o.ticket_number, n.ticket_number)) else '{}' end
          || case when o.title is distinct from n.title then jsonb_build_object('title', jsonb_build_array(o.title, n.title)) else '{}' end
          || case when o.description is distinct from n.description then jsonb_build_object('description', jsonb_build_array(o.description, n.description)) else '{}' end
          || case when o.description_format is distinct from n.description_format then jsonb_build_object('description_format', jsonb_build_array(o.description_format, n.description_format)) else '{}' end
          || case when o.description_html is distinct from n.description_html then jsonb_build_object('description_html', jsonb_build_array(o.description_html, n.description_html)) else '{}' end
          || case when o.description_folded is distinct from n.description_folded then jsonb_build_object('description_folded', jsonb_build_array(o.description_folded, n.description_folded)) else '{}' end
          || case when o.status is distinct from n.status then jsonb_build_object('status', jsonb_build_array(o.status, n.status)) else '{}' end
          || case when o.priority is distinct from n.priority then jsonb_build_object('priority', jsonb_build_array(o.priority, n.priority)) else '{}' end
          || case when o.channel is distinct from n.channel then jsonb_build_object('channel', jsonb_build_array(o.channel, n.channel)) else '{}' end
          || case when o.creator_id is distinct from n.creator_id then jsonb_build_object('creator_id', jsonb_build_array(o.creator_id, n.creator_id)) else '{}' end
          || case when o.assignee_id is distinct from n.assignee_id then jsonb_build_object('assignee_id', jsonb_build_array(o.assignee_id, n.assignee_id)) else '{}' end
          || case when o.organization_id is distinct from n.organization_id then jsonb_build_object('organization_id', jsonb_build_array(o.organization_id, n.organization_id)) else '{}' end
          || case when o.team_id is distinct from n.team_id then jsonb_build_object('team_id', jsonb_build_array(o.team_id, n.team_id)) else '{}' end
          || case when o.reopen_count is distinct from n.reopen_count then jsonb_build_object('reopen_count', jsonb_build_array(o.reopen_count, n.reopen_count)) else '{}' end
          || case when o.due_at is distinct from n.due_at then jsonb_build_object('due_at', jsonb_build_array(o.due_at, n.due_at)) else '{}' end
          || case when o.first_responded_at is distinct from n.first_responded_at then jsonb_build_object('first_responded_at', jsonb_build_array(o.first_responded_at, n.first_responded_at)) else '{}' end
          || case when o.resolved_at is distinct from n.resolved_at then jsonb_build_object('resolved_at', jsonb_build_array(o.resolved_at, n.resolved_at)) else '{}' end
          || case when o.deleted_at is distinct from n.deleted_at then jsonb_build_object('deleted_at', jsonb_build_array(o.deleted_at, n.deleted_at)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_tickets_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_number', o.ticket_number, 'title', o.title, 'description', o.description, 'description_format', o.description_format, 'description_html', o.description_html, 'description_folded', o.description_folded, 'status', o.status, 'priority', o.priority, 'channel', o.channel, 'creator_id', o.creator_id, 'assignee_id', o.assignee_id, 'organization_id', o.organization_id, 'team_id', o.team_id, 'version', o.version, 'reopen_count', o.reopen_count, 'due_at', o.due_at, 'first_responded_at', o.first_responded_at, 'resolved_at', o.resolved_at, 'deleted_at', o.deleted_at, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_comments_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'comments', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_comments_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'comments', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.content is distinct from n.content then jsonb_build_object('content', jsonb_build_array(o.content, n.content)) else '{}' end
          || case when o.content_format is distinct from n.content_format then jsonb_build_object('content_format', jsonb_build_array(o.content_format, n.content_format)) else '{}' end
          || case when o.content_html is distinct from n.content_html then jsonb_build_object('content_html', jsonb_build_array(o.content_html, n.content_html)) else '{}' end
          || case when o.folded is distinct from n.folded then jsonb_build_object('folded', jsonb_build_array(o.folded, n.folded)) else '{}' end
          || case when o.is_internal is distinct from n.is_internal then jsonb_build_object('is_internal', jsonb_build_array(o.is_internal, n.is_internal)) else '{}' end
          || case when o.channel is distinct from n.channel then jsonb_build_object('channel', jsonb_build_array(o.channel, n.channel)) else '{}' end
          || case when o.ticket_id is distinct from n.ticket_id then jsonb_build_object('ticket_id', jsonb_build_array(o.ticket_id, n.ticket_id)) else '{}' end
          || case when o.author_id is distinct from n.author_id then jsonb_build_object('author_id', jsonb_build_array(o.author_id, n.author_id)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_comments_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'comments', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'content', o.content, 'content_format', o.content_format, 'content_html', o.content_html, 'folded', o.folded, 'is_internal', o.is_internal, 'channel', o.channel, 'ticket_id', o.ticket_id, 'author_id', o.author_id, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_ticket_tags_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_tags', n.ticket_id, 'CREATE', jsonb_build_object('tag_id', jsonb_build_array(null, n.tag_id))
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_ticket_tags_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_tags', d.ticket_id, 'UPDATE', d.changes || jsonb_build_object('tag_id', jsonb_build_array(d.tag_id, d.tag_id))
    from (
      select n.ticket_id, n.tag_id, case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.ticket_id = n.ticket_id and o.tag_id = n.tag_id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_ticket_tags_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_tags', o.ticket_id, 'DELETE',
    jsonb_build_object('ticket_id', o.ticket_id, 'tag_id', o.tag_id, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_attachments_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'attachments', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_attachments_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'attachments', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.ticket_id is distinct from n.ticket_id then jsonb_build_object('ticket_id', jsonb_build_array(o.ticket_id, n.ticket_id)) else '{}' end
          || case when o.comment_id is distinct from n.comment_id then jsonb_build_object('comment_id', jsonb_build_array(o.comment_id, n.comment_id)) else '{}' end
          || case when o.file_name is distinct from n.file_name then jsonb_build_object('file_name', jsonb_build_array(o.file_name, n.file_name)) else '{}' end
          || case when o.media_type is distinct from n.media_type then jsonb_build_object('media_type', jsonb_build_array(o.media_type, n.media_type)) else '{}' end
          || case when o.size is distinct from n.size then jsonb_build_object('size', jsonb_build_array(o.size, n.size)) else '{}' end
          || case when o.sha256 is distinct from n.sha256 then jsonb_build_object('sha256', jsonb_build_array(o.sha256, n.sha256)) else '{}' end
          || case when o.storage_key is distinct from n.storage_key then jsonb_build_object('storage_key', jsonb_build_array(o.storage_key, n.storage_key)) else '{}' end
          || case when o.content_id is distinct from n.content_id then jsonb_build_object('content_id', jsonb_build_array(o.content_id, n.content_id)) else '{}' end
          || case when o.uploaded_by_id is distinct from n.uploaded_by_id then jsonb_build_object('uploaded_by_id', jsonb_build_array(o.uploaded_by_id, n.uploaded_by_id)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_attachments_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'attachments', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_id', o.ticket_id, 'comment_id', o.comment_id, 'file_name', o.file_name, 'media_type', o.media_type, 'size', o.size, 'sha256', o.sha256, 'storage_key', o.storage_key, 'content_id', o.content_id, 'uploaded_by_id', o.uploaded_by_id, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;

create or replace function deskbell_audit_inbound_messages_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'inbound_messages', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;

create or replace function deskbell_audit_inbound_messages_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'inbound_messages', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.sha256 is distinct from n.sha256 then jsonb_build_object('sha256', jsonb_build_array(o.sha256, n.sha256)) else '{}' end
          || case when o.size is distinct from n.size then jsonb_build_object('size', jsonb_build_array(o.size, n.size)) else '{}' end
          || case when o.source is distinct from n.source then jsonb_build_object('source', jsonb_build_array(o.source, n.source)) else '{}' end
          || case when o.state is distinct from n.state then jsonb_build_object('state', jsonb_build_array(o.state, n.state)) else '{}' end
          || case when o.reason is distinct from n.reason then jsonb_build_object('reason', jsonb_build_array(o.reason, n.reason)) else '{}' end
          || case when o.message_id is distinct from n.message_id then jsonb_build_object('message_id', jsonb_build_array(o.message_id, n.message_id)) else '{}' end
          || case when o.sender is distinct from n.sender then jsonb_build_object('sender', jsonb_build_array(o.sender, n.sender)) else '{}' end
          || case when o.subject is distinct from n.subject then jsonb_build_object('subject', jsonb_build_array(o.subject, n.subject)) else '{}' end
          || case when o.sent_at is distinct from n.sent_at then jsonb_build_object('sent_at', jsonb_build_array(o.sent_at, n.sent_at)) else '{}' end
          || case when o.defects is distinct from n.defects then jsonb_build_object('defects', jsonb_build_array(o.defects, n.defects)) else '{}' end
          || case when o.ticket_id is distinct from n.ticket_id then jsonb_build_object('ticket_id', jsonb_build_array(o.ticket_id, n.ticket_id)) else '{}' end
          || case when o.comment_id is distinct from n.comment_id then jsonb_build_object('comment_id', jsonb_build_array(o.comment_id, n.comment_id)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end
          || case when o.filed_at is distinct from n.filed_at then jsonb_build_object('filed_at', jsonb_build_array(o.filed_at, n.filed_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;

create or replace function deskbell_audit_inbound_messages_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'inbound_messages', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'sha256', o.sha256, 'size', o.size, 'source', o.source, 'state', o.state, 'reason', o.reason, 'message_id', o.message_id, 'sender', o.sender, 'subject', o.subject, 'sent_at', o.sent_at, 'defects', o.defects, 'ticket_id', o.ticket_id, 'comment_id', o.comment_id, 'created_at', o.created_at, 'filed_at', o.filed_at)
    from old_rows o;
  return null;
end
$$;
