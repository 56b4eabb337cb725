-- What the ledgers allowed and recorded before there were mailboxes; the rest goes with its tables.

alter table inbound_messages enable row level security;
alter table inbound_messages force row level security;
revoke all on inbound_messages from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on inbound_messages to deskbell_system;
create policy system_select on inbound_messages for select to deskbell_system using (true);
grant insert on inbound_messages to deskbell_system;
create policy system_insert on inbound_messages for insert to deskbell_system with check (true);
grant update (state, reason, message_id, sender, subject, sent_at, defects, ticket_id, comment_id, filed_at) on inbound_messages to deskbell_system;
create policy system_update on inbound_messages for update to deskbell_system using (true) with check (true);
grant select on inbound_messages to deskbell_admin;
create policy admin_select on inbound_messages for select to deskbell_admin using (true);
grant select (id, sha256, size, source, state, reason, message_id, sender, subject, sent_at, defects, ticket_id, comment_id, created_at, filed_at) on inbound_messages to deskbell_readonly;
create policy readonly_select on inbound_messages for select to deskbell_readonly using (true);
create policy owner_select on inbound_messages for select to deskbell_owner using (true);
create policy owner_insert on inbound_messages for insert to deskbell_owner with check (true);
create policy owner_update on inbound_messages for update to deskbell_owner using (true) with check (true);
create policy owner_delete on inbound_messages for delete to deskbell_owner using (true);

alter table outbound_messages enable row level security;
alter table outbound_messages force row level security;
revoke all on outbound_messages from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on outbound_messages to deskbell_system;
create policy system_select on outbound_messages for select to deskbell_system using (true);
grant insert on outbound_messages to deskbell_system;
create policy system_insert on outbound_messages for insert to deskbell_system with check (true);
grant update on outbound_messages to deskbell_system;
create policy system_update on outbound_messages for update to deskbell_system using (true) with check (true);
grant select (id, kind, state, reason, user_id, ticket_id, comment_id, recipient, subject, message_id, in_reply_to, thread, reply_to, attempts, interrupted, created_at, next_attempt_at, sent_at) on outbound_messages to deskbell_agent;
create policy agent_select on outbound_messages for select to deskbell_agent using (true);
grant select (id, kind, state, reason, user_id, ticket_id, comment_id, recipient, subject, message_id, in_reply_to, thread, reply_to, attempts, interrupted, created_at, next_attempt_at, sent_at) on outbound_messages to deskbell_admin;
create policy admin_select on outbound_messages for select to deskbell_admin using (true);
grant select (id, kind, state, reason, user_id, ticket_id, comment_id, recipient, subject, message_id, in_reply_to, thread, reply_to, attempts, interrupted, created_at, next_attempt_at, sent_at) on outbound_messages to deskbell_readonly;
create policy readonly_select on outbound_messages for select to deskbell_readonly using (true);
grant insert (kind, user_id, ticket_id, comment_id) on outbound_messages to deskbell_agent;
create policy agent_insert on outbound_messages for insert to deskbell_agent with check (kind in ('received', 'answered'));
grant insert (kind, user_id, ticket_id, comment_id) on outbound_messages to deskbell_admin;
create policy admin_insert on outbound_messages for insert to deskbell_admin with check (kind in ('received', 'answered'));
grant select (id, user_id) on outbound_messages to deskbell_customer;
create policy customer_select on outbound_messages for select to deskbell_customer using (user_id = (select deskbell_actor()));
grant insert (kind, user_id, ticket_id, comment_id) on outbound_messages to deskbell_customer;
create policy customer_insert on outbound_messages for insert to deskbell_customer with check (kind = 'received' and user_id = (select deskbell_actor()) and comment_id is null and exists (select from tickets t where t.id = ticket_id and t.creator_id = (select deskbell_actor())));
create policy owner_select on outbound_messages for select to deskbell_owner using (true);
create policy owner_insert on outbound_messages for insert to deskbell_owner with check (true);
create policy owner_update on outbound_messages for update to deskbell_owner using (true) with check (true);
create policy owner_delete on outbound_messages for delete to deskbell_owner using (true);

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

drop function deskbell_audit_letter_templates_insert() cascade;
drop function deskbell_audit_letter_templates_update() cascade;
drop function deskbell_audit_letter_templates_delete() cascade;
drop function deskbell_audit_mailboxes_insert() cascade;
drop function deskbell_audit_mailboxes_update() cascade;
drop function deskbell_audit_mailboxes_delete() cascade;
drop function deskbell_audit_mailbox_tags_insert() cascade;
drop function deskbell_audit_mailbox_tags_update() cascade;
drop function deskbell_audit_mailbox_tags_delete() cascade;
drop function deskbell_audit_notice_choices_insert() cascade;
drop function deskbell_audit_notice_choices_update() cascade;
drop function deskbell_audit_notice_choices_delete() cascade;
drop function deskbell_audit_ticket_copies_insert() cascade;
drop function deskbell_audit_ticket_copies_update() cascade;
drop function deskbell_audit_ticket_copies_delete() cascade;
drop function deskbell_audit_ticket_links_insert() cascade;
drop function deskbell_audit_ticket_links_update() cascade;
drop function deskbell_audit_ticket_links_delete() cascade;
drop function deskbell_audit_ticket_mailboxes_insert() cascade;
drop function deskbell_audit_ticket_mailboxes_update() cascade;
drop function deskbell_audit_ticket_mailboxes_delete() cascade;
drop function deskbell_mailboxes_send();
