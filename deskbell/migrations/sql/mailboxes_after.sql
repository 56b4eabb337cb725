-- `updated_at` is kept by the database, whichever way the change came.

create trigger keep_updated_at before update on mailboxes for each row execute function deskbell_touch();
create trigger keep_updated_at before update on letter_templates for each row execute function deskbell_touch();

-- Whether a mailbox has a server to send by. Who may not see mailboxes, as customers may not, has the desk told as well.
create function deskbell_mailboxes_send() returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
  select exists (select from mailboxes where is_active and smtp_host <> '')
$$;
revoke all on function deskbell_mailboxes_send() from public;
grant execute on function deskbell_mailboxes_send()
  to deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
