-- The functions of the audit triggers, rendered from the models by deskbell.audit.triggers. A test compares both.

create or replace function deskbell_audit_letter_templates_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'letter_templates', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_letter_templates_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_letter_templates_insert() from public;
create or replace trigger audit_insert after insert on letter_templates referencing new table as new_rows for each statement execute function deskbell_audit_letter_templates_insert();
create or replace function deskbell_audit_letter_templates_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'letter_templates', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.kind is distinct from n.kind then jsonb_build_object('kind', jsonb_build_array(o.kind, n.kind)) else '{}' end
          || case when o.locale is distinct from n.locale then jsonb_build_object('locale', jsonb_build_array(o.locale, n.locale)) else '{}' end
          || case when o.subject is distinct from n.subject then jsonb_build_object('subject', jsonb_build_array(o.subject, n.subject)) else '{}' end
          || case when o.body is distinct from n.body then jsonb_build_object('body', jsonb_build_array(o.body, n.body)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_letter_templates_update() owner to deskbell_owner;
revoke all on function deskbell_audit_letter_templates_update() from public;
create or replace trigger audit_update after update on letter_templates referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_letter_templates_update();
create or replace function deskbell_audit_letter_templates_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'letter_templates', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'kind', o.kind, 'locale', o.locale, 'subject', o.subject, 'body', o.body, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_letter_templates_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_letter_templates_delete() from public;
create or replace trigger audit_delete after delete on letter_templates referencing old table as old_rows for each statement execute function deskbell_audit_letter_templates_delete();
create or replace trigger audit_truncate before truncate on letter_templates for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on letter_templates for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_mailboxes_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailboxes', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_mailboxes_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_mailboxes_insert() from public;
create or replace trigger audit_insert after insert on mailboxes referencing new table as new_rows for each statement execute function deskbell_audit_mailboxes_insert();
create or replace function deskbell_audit_mailboxes_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailboxes', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.address is distinct from n.address then jsonb_build_object('address', jsonb_build_array(o.address, n.address)) else '{}' end
          || case when o.is_active is distinct from n.is_active then jsonb_build_object('is_active', jsonb_build_array(o.is_active, n.is_active)) else '{}' end
          || case when o.team_id is distinct from n.team_id then jsonb_build_object('team_id', jsonb_build_array(o.team_id, n.team_id)) else '{}' end
          || case when o.priority is distinct from n.priority then jsonb_build_object('priority', jsonb_build_array(o.priority, n.priority)) else '{}' end
          || case when o.signature is distinct from n.signature then jsonb_build_object('signature', jsonb_build_array(o.signature, n.signature)) else '{}' end
          || case when o.acknowledges is distinct from n.acknowledges then jsonb_build_object('acknowledges', jsonb_build_array(o.acknowledges, n.acknowledges)) else '{}' end
          || case when o.closed_reply is distinct from n.closed_reply then jsonb_build_object('closed_reply', jsonb_build_array(o.closed_reply, n.closed_reply)) else '{}' end
          || case when o.is_plus is distinct from n.is_plus then jsonb_build_object('is_plus', jsonb_build_array(o.is_plus, n.is_plus)) else '{}' end
          || case when o.authority is distinct from n.authority then jsonb_build_object('authority', jsonb_build_array(o.authority, n.authority)) else '{}' end
          || case when o.login is distinct from n.login then jsonb_build_object('login', jsonb_build_array(o.login, n.login)) else '{}' end
          || case when o.oauth_token_url is distinct from n.oauth_token_url then jsonb_build_object('oauth_token_url', jsonb_build_array(o.oauth_token_url, n.oauth_token_url)) else '{}' end
          || case when o.oauth_client_id is distinct from n.oauth_client_id then jsonb_build_object('oauth_client_id', jsonb_build_array(o.oauth_client_id, n.oauth_client_id)) else '{}' end
          || case when o.oauth_scope is distinct from n.oauth_scope then jsonb_build_object('oauth_scope', jsonb_build_array(o.oauth_scope, n.oauth_scope)) else '{}' end
          || case when o.oauth_secret is distinct from n.oauth_secret then jsonb_build_object('oauth_secret', jsonb_build_array(case when o.oauth_secret is not null then '[secret]'::text end, case when n.oauth_secret is not null then '[secret]'::text end)) else '{}' end
          || case when o.oauth_refresh is distinct from n.oauth_refresh then jsonb_build_object('oauth_refresh', jsonb_build_array(case when o.oauth_refresh is not null then '[secret]'::text end, case when n.oauth_refresh is not null then '[secret]'::text end)) else '{}' end
          || case when o.imap_host is distinct from n.imap_host then jsonb_build_object('imap_host', jsonb_build_array(o.imap_host, n.imap_host)) else '{}' end
          || case when o.imap_port is distinct from n.imap_port then jsonb_build_object('imap_port', jsonb_build_array(o.imap_port, n.imap_port)) else '{}' end
          || case when o.imap_security is distinct from n.imap_security then jsonb_build_object('imap_security', jsonb_build_array(o.imap_security, n.imap_security)) else '{}' end
          || case when o.imap_user is distinct from n.imap_user then jsonb_build_object('imap_user', jsonb_build_array(o.imap_user, n.imap_user)) else '{}' end
          || case when o.imap_password is distinct from n.imap_password then jsonb_build_object('imap_password', jsonb_build_array(case when o.imap_password is not null then '[secret]'::text end, case when n.imap_password is not null then '[secret]'::text end)) else '{}' end
          || case when o.imap_folders is distinct from n.imap_folders then jsonb_build_object('imap_folders', jsonb_build_array(o.imap_folders, n.imap_folders)) else '{}' end
          || case when o.smtp_host is distinct from n.smtp_host then jsonb_build_object('smtp_host', jsonb_build_array(o.smtp_host, n.smtp_host)) else '{}' end
          || case when o.smtp_port is distinct from n.smtp_port then jsonb_build_object('smtp_port', jsonb_build_array(o.smtp_port, n.smtp_port)) else '{}' end
          || case when o.smtp_security is distinct from n.smtp_security then jsonb_build_object('smtp_security', jsonb_build_array(o.smtp_security, n.smtp_security)) else '{}' end
          || case when o.smtp_user is distinct from n.smtp_user then jsonb_build_object('smtp_user', jsonb_build_array(o.smtp_user, n.smtp_user)) else '{}' end
          || case when o.smtp_password is distinct from n.smtp_password then jsonb_build_object('smtp_password', jsonb_build_array(case when o.smtp_password is not null then '[secret]'::text end, case when n.smtp_password is not null then '[secret]'::text end)) else '{}' end
          || case when o.dkim_domain is distinct from n.dkim_domain then jsonb_build_object('dkim_domain', jsonb_build_array(o.dkim_domain, n.dkim_domain)) else '{}' end
          || case when o.dkim_selector is distinct from n.dkim_selector then jsonb_build_object('dkim_selector', jsonb_build_array(o.dkim_selector, n.dkim_selector)) else '{}' end
          || case when o.dkim_key is distinct from n.dkim_key then jsonb_build_object('dkim_key', jsonb_build_array(case when o.dkim_key is not null then '[secret]'::text end, case when n.dkim_key is not null then '[secret]'::text end)) else '{}' end
          || case when o.rate is distinct from n.rate then jsonb_build_object('rate', jsonb_build_array(o.rate, n.rate)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_mailboxes_update() owner to deskbell_owner;
revoke all on function deskbell_audit_mailboxes_update() from public;
create or replace trigger audit_update after update on mailboxes referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_mailboxes_update();
create or replace function deskbell_audit_mailboxes_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailboxes', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'name', o.name, 'address', o.address, 'is_active', o.is_active, 'team_id', o.team_id, 'priority', o.priority, 'signature', o.signature, 'acknowledges', o.acknowledges, 'closed_reply', o.closed_reply, 'is_plus', o.is_plus, 'authority', o.authority, 'login', o.login, 'oauth_token_url', o.oauth_token_url, 'oauth_client_id', o.oauth_client_id, 'oauth_scope', o.oauth_scope, 'oauth_secret', case when o.oauth_secret is not null then '[secret]'::text end, 'oauth_refresh', case when o.oauth_refresh is not null then '[secret]'::text end, 'imap_host', o.imap_host, 'imap_port', o.imap_port, 'imap_security', o.imap_security, 'imap_user', o.imap_user, 'imap_password', case when o.imap_password is not null then '[secret]'::text end, 'imap_folders', o.imap_folders, 'smtp_host', o.smtp_host, 'smtp_port', o.smtp_port, 'smtp_security', o.smtp_security, 'smtp_user', o.smtp_user, 'smtp_password', case when o.smtp_password is not null then '[secret]'::text end, 'dkim_domain', o.dkim_domain, 'dkim_selector', o.dkim_selector, 'dkim_key', case when o.dkim_key is not null then '[secret]'::text end, 'rate', o.rate, 'created_at', o.created_at, 'updated_at', o.updated_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_mailboxes_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_mailboxes_delete() from public;
create or replace trigger audit_delete after delete on mailboxes referencing old table as old_rows for each statement execute function deskbell_audit_mailboxes_delete();
create or replace trigger audit_truncate before truncate on mailboxes for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on mailboxes for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_mailbox_tags_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailbox_tags', n.mailbox_id, 'CREATE', jsonb_build_object('tag_id', jsonb_build_array(null, n.tag_id))
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_mailbox_tags_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_mailbox_tags_insert() from public;
create or replace trigger audit_insert after insert on mailbox_tags referencing new table as new_rows for each statement execute function deskbell_audit_mailbox_tags_insert();
create or replace function deskbell_audit_mailbox_tags_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailbox_tags', d.mailbox_id, 'UPDATE', d.changes || jsonb_build_object('tag_id', jsonb_build_array(d.tag_id, d.tag_id))
    from (
      select n.mailbox_id, n.tag_id, case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.mailbox_id = n.mailbox_id and o.tag_id = n.tag_id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_mailbox_tags_update() owner to deskbell_owner;
revoke all on function deskbell_audit_mailbox_tags_update() from public;
create or replace trigger audit_update after update on mailbox_tags referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_mailbox_tags_update();
create or replace function deskbell_audit_mailbox_tags_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'mailbox_tags', o.mailbox_id, 'DELETE',
    jsonb_build_object('mailbox_id', o.mailbox_id, 'tag_id', o.tag_id, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_mailbox_tags_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_mailbox_tags_delete() from public;
create or replace trigger audit_delete after delete on mailbox_tags referencing old table as old_rows for each statement execute function deskbell_audit_mailbox_tags_delete();
create or replace trigger audit_truncate before truncate on mailbox_tags for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of mailbox_id, tag_id on mailbox_tags for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_notice_choices_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'notice_choices', n.user_id, 'CREATE', jsonb_build_object('kind', jsonb_build_array(null, n.kind))
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_notice_choices_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_notice_choices_insert() from public;
create or replace trigger audit_insert after insert on notice_choices referencing new table as new_rows for each statement execute function deskbell_audit_notice_choices_insert();
create or replace function deskbell_audit_notice_choices_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'notice_choices', d.user_id, 'UPDATE', d.changes || jsonb_build_object('kind', jsonb_build_array(d.kind, d.kind))
    from (
      select n.user_id, n.kind, case when o.by_mail is distinct from n.by_mail then jsonb_build_object('by_mail', jsonb_build_array(o.by_mail, n.by_mail)) else '{}' end as changes
        from new_rows n join old_rows o on o.user_id = n.user_id and o.kind = n.kind
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_notice_choices_update() owner to deskbell_owner;
revoke all on function deskbell_audit_notice_choices_update() from public;
create or replace trigger audit_update after update on notice_choices referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_notice_choices_update();
create or replace function deskbell_audit_notice_choices_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'notice_choices', o.user_id, 'DELETE',
    jsonb_build_object('user_id', o.user_id, 'kind', o.kind, 'by_mail', o.by_mail)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_notice_choices_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_notice_choices_delete() from public;
create or replace trigger audit_delete after delete on notice_choices referencing old table as old_rows for each statement execute function deskbell_audit_notice_choices_delete();
create or replace trigger audit_truncate before truncate on notice_choices for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of user_id, kind on notice_choices for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_ticket_copies_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_copies', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_ticket_copies_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_copies_insert() from public;
create or replace trigger audit_insert after insert on ticket_copies referencing new table as new_rows for each statement execute function deskbell_audit_ticket_copies_insert();
create or replace function deskbell_audit_ticket_copies_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_copies', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.ticket_id is distinct from n.ticket_id then jsonb_build_object('ticket_id', jsonb_build_array(o.ticket_id, n.ticket_id)) else '{}' end
          || case when o.email is distinct from n.email then jsonb_build_object('email', jsonb_build_array(o.email, n.email)) else '{}' end
          || case when o.name is distinct from n.name then jsonb_build_object('name', jsonb_build_array(o.name, n.name)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_ticket_copies_update() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_copies_update() from public;
create or replace trigger audit_update after update on ticket_copies referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_ticket_copies_update();
create or replace function deskbell_audit_ticket_copies_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_copies', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_id', o.ticket_id, 'email', o.email, 'name', o.name, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_ticket_copies_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_copies_delete() from public;
create or replace trigger audit_delete after delete on ticket_copies referencing old table as old_rows for each statement execute function deskbell_audit_ticket_copies_delete();
create or replace trigger audit_truncate before truncate on ticket_copies for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on ticket_copies for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_ticket_links_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_links', n.id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_ticket_links_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_links_insert() from public;
create or replace trigger audit_insert after insert on ticket_links referencing new table as new_rows for each statement execute function deskbell_audit_ticket_links_insert();
create or replace function deskbell_audit_ticket_links_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_links', d.id, 'UPDATE', d.changes
    from (
      select n.id, case when o.ticket_id is distinct from n.ticket_id then jsonb_build_object('ticket_id', jsonb_build_array(o.ticket_id, n.ticket_id)) else '{}' end
          || case when o.other_id is distinct from n.other_id then jsonb_build_object('other_id', jsonb_build_array(o.other_id, n.other_id)) else '{}' end
          || case when o.kind is distinct from n.kind then jsonb_build_object('kind', jsonb_build_array(o.kind, n.kind)) else '{}' end
          || case when o.created_at is distinct from n.created_at then jsonb_build_object('created_at', jsonb_build_array(o.created_at, n.created_at)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_ticket_links_update() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_links_update() from public;
create or replace trigger audit_update after update on ticket_links referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_ticket_links_update();
create or replace function deskbell_audit_ticket_links_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_links', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_id', o.ticket_id, 'other_id', o.other_id, 'kind', o.kind, 'created_at', o.created_at)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_ticket_links_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_links_delete() from public;
create or replace trigger audit_delete after delete on ticket_links referencing old table as old_rows for each statement execute function deskbell_audit_ticket_links_delete();
create or replace trigger audit_truncate before truncate on ticket_links for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on ticket_links for each statement execute function deskbell_refuse_new_key();
create or replace function deskbell_audit_ticket_mailboxes_insert() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_mailboxes', n.ticket_id, 'CREATE', null
    from new_rows n;
  return null;
end
$$;
alter function deskbell_audit_ticket_mailboxes_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_mailboxes_insert() from public;
create or replace trigger audit_insert after insert on ticket_mailboxes referencing new table as new_rows for each statement execute function deskbell_audit_ticket_mailboxes_insert();
create or replace function deskbell_audit_ticket_mailboxes_update() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_mailboxes', d.ticket_id, 'UPDATE', d.changes
    from (
      select n.ticket_id, case when o.mailbox_id is distinct from n.mailbox_id then jsonb_build_object('mailbox_id', jsonb_build_array(o.mailbox_id, n.mailbox_id)) else '{}' end as changes
        from new_rows n join old_rows o on o.ticket_id = n.ticket_id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_ticket_mailboxes_update() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_mailboxes_update() from public;
create or replace trigger audit_update after update on ticket_mailboxes referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_ticket_mailboxes_update();
create or replace function deskbell_audit_ticket_mailboxes_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select coalesce(operation, (select deskbell_begin_operation())),
    deskbell_actor(), deskbell_channel(), deskbell_cause(), 'ticket_mailboxes', o.ticket_id, 'DELETE',
    jsonb_build_object('ticket_id', o.ticket_id, 'mailbox_id', o.mailbox_id)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_ticket_mailboxes_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_ticket_mailboxes_delete() from public;
create or replace trigger audit_delete after delete on ticket_mailboxes referencing old table as old_rows for each statement execute function deskbell_audit_ticket_mailboxes_delete();
create or replace trigger audit_truncate before truncate on ticket_mailboxes for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of ticket_id on ticket_mailboxes for each statement execute function deskbell_refuse_new_key();
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
alter function deskbell_audit_inbound_messages_insert() owner to deskbell_owner;
revoke all on function deskbell_audit_inbound_messages_insert() from public;
create or replace trigger audit_insert after insert on inbound_messages referencing new table as new_rows for each statement execute function deskbell_audit_inbound_messages_insert();
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
          || case when o.filed_at is distinct from n.filed_at then jsonb_build_object('filed_at', jsonb_build_array(o.filed_at, n.filed_at)) else '{}' end
          || case when o.mailbox_id is distinct from n.mailbox_id then jsonb_build_object('mailbox_id', jsonb_build_array(o.mailbox_id, n.mailbox_id)) else '{}' end
          || case when o.fingerprint is distinct from n.fingerprint then jsonb_build_object('fingerprint', jsonb_build_array(o.fingerprint, n.fingerprint)) else '{}' end
          || case when o.bounced_id is distinct from n.bounced_id then jsonb_build_object('bounced_id', jsonb_build_array(o.bounced_id, n.bounced_id)) else '{}' end
          || case when o.released_by_id is distinct from n.released_by_id then jsonb_build_object('released_by_id', jsonb_build_array(o.released_by_id, n.released_by_id)) else '{}' end as changes
        from new_rows n join old_rows o on o.id = n.id
    ) d
   where d.changes <> '{}';
  return null;
end
$$;
alter function deskbell_audit_inbound_messages_update() owner to deskbell_owner;
revoke all on function deskbell_audit_inbound_messages_update() from public;
create or replace trigger audit_update after update on inbound_messages referencing old table as old_rows new table as new_rows for each statement execute function deskbell_audit_inbound_messages_update();
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
    jsonb_build_object('id', o.id, 'sha256', o.sha256, 'size', o.size, 'source', o.source, 'state', o.state, 'reason', o.reason, 'message_id', o.message_id, 'sender', o.sender, 'subject', o.subject, 'sent_at', o.sent_at, 'defects', o.defects, 'ticket_id', o.ticket_id, 'comment_id', o.comment_id, 'created_at', o.created_at, 'filed_at', o.filed_at, 'mailbox_id', o.mailbox_id, 'fingerprint', o.fingerprint, 'bounced_id', o.bounced_id, 'released_by_id', o.released_by_id)
    from old_rows o;
  return null;
end
$$;
alter function deskbell_audit_inbound_messages_delete() owner to deskbell_owner;
revoke all on function deskbell_audit_inbound_messages_delete() from public;
create or replace trigger audit_delete after delete on inbound_messages referencing old table as old_rows for each statement execute function deskbell_audit_inbound_messages_delete();
create or replace trigger audit_truncate before truncate on inbound_messages for each statement execute function deskbell_refuse_truncate();
create or replace trigger audit_key before update of id on inbound_messages for each statement execute function deskbell_refuse_new_key();
