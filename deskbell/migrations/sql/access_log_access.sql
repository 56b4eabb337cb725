-- Grants and row policies, rendered from the models by deskbell.kernel.access. A test compares both.

alter table access_logs enable row level security;
alter table access_logs force row level security;
revoke all on access_logs from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on access_logs to deskbell_admin;
create policy admin_select on access_logs for select to deskbell_admin using (true);
grant select on access_logs to deskbell_system;
create policy system_select on access_logs for select to deskbell_system using (true);
create policy owner_select on access_logs for select to deskbell_owner using (true);
create policy owner_insert on access_logs for insert to deskbell_owner with check (true);
create policy owner_update on access_logs for update to deskbell_owner using (true) with check (true);
create policy owner_delete on access_logs for delete to deskbell_owner using (true);
