-- Audit triggers, rendered from the models by deskbell.audit.triggers. A test compares both.

create or replace function deskbell_audit_tickets_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from new_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_tickets_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_tickets_insert() from public;
create or replace trigger audit_insert after insert on tickets referencing new table as new_rows for each statement execute function deskbell_audit_tickets_insert();
create or replace function deskbell_audit_tickets_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from new_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', d.id, 'UPDATE', d.changes
    from (
      select n.id as id, case when o.ticket_number is distinct from n.ticket_number then jsonb_build_object('ticket_number', jsonb_build_array(o.ticket_number, n.ticket_number)) else '{}' end
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
alter function deskbell_audit_tickets_update() owner to deskbell_owner;
revoke all on function deskbell_audit_tickets_update() from public;
create or replace trigger audit_update after update on tickets referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_tickets_update();
create or replace function deskbell_audit_tickets_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from old_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_number', o.ticket_number, 'title', o.title, 'description', o.description, 'description_format', o.description_format, 'description_html', o.description_html, 'description_folded', o.description_folded, 'status', o.status, 'priority', o.priority, 'channel', o.channel, 'creator_id', o.creator_id, 'assignee_id', o.assignee_id, 'organization_id', o.organization_id, 'team_id', o.team_id, 'version', o.version, 'reopen_count', o.reopen_count, 'due_at', o.due_at, 'first_responded_at', o.first_responded_at, 'resolved_at', o.resolved_at, 'deleted_at', o.deleted_at, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_tickets_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_tickets_delete() from public;
create or replace trigger audit_delete after delete on tickets referencing old table as old_rows for each statement execute function deskbell_audit_tickets_delete();
create or replace trigger audit_truncate before truncate on tickets for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on tickets for each statement execute function deskbell_refuse_new_key();

create or replace function deskbell_audit_saved_views_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from new_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_saved_views_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_saved_views_insert() from public;
create or replace trigger audit_insert after insert on saved_views referencing new table as new_rows for each statement execute function deskbell_audit_saved_views_insert();
create or replace function deskbell_audit_saved_views_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from new_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', d.id, 'UPDATE', d.changes
    from (
      select n.id as id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
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
alter function deskbell_audit_saved_views_update() owner to deskbell_owner;
revoke all on function deskbell_audit_saved_views_update() from public;
create or replace trigger audit_update after update on saved_views referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_saved_views_update();
create or replace function deskbell_audit_saved_views_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from old_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'saved_views', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'query', o.query, 'columns', o.columns, 'sort', o.sort, 'owner_id', o.owner_id, 'shared_with', o.shared_with, 'team_id', o.team_id, 'position', o.position, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_saved_views_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_saved_views_delete() from public;
create or replace trigger audit_delete after delete on saved_views referencing old table as old_rows for each statement execute function deskbell_audit_saved_views_delete();
create or replace trigger audit_truncate before truncate on saved_views for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on saved_views for each statement execute function deskbell_refuse_new_key();
