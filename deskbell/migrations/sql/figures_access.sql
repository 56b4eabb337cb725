-- Grants and row policies, rendered from the models by deskbell.kernel.access. A test compares both.

alter table ticket_figures enable row level security;
alter table ticket_figures force row level security;
revoke all on ticket_figures from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on ticket_figures to deskbell_agent;
create policy agent_select on ticket_figures for select to deskbell_agent using (true);
grant select on ticket_figures to deskbell_admin;
create policy admin_select on ticket_figures for select to deskbell_admin using (true);
grant select on ticket_figures to deskbell_system;
create policy system_select on ticket_figures for select to deskbell_system using (true);
grant select on ticket_figures to deskbell_readonly;
create policy readonly_select on ticket_figures for select to deskbell_readonly using (true);
create policy owner_select on ticket_figures for select to deskbell_owner using (true);
create policy owner_insert on ticket_figures for insert to deskbell_owner with check (true);
create policy owner_update on ticket_figures for update to deskbell_owner using (true) with check (true);
create policy owner_delete on ticket_figures for delete to deskbell_owner using (true);

alter table figure_marks enable row level security;
alter table figure_marks force row level security;
revoke all on figure_marks from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on figure_marks to deskbell_agent;
create policy agent_select on figure_marks for select to deskbell_agent using (true);
grant select on figure_marks to deskbell_admin;
create policy admin_select on figure_marks for select to deskbell_admin using (true);
grant select on figure_marks to deskbell_system;
create policy system_select on figure_marks for select to deskbell_system using (true);
grant select on figure_marks to deskbell_readonly;
create policy readonly_select on figure_marks for select to deskbell_readonly using (true);
create policy owner_select on figure_marks for select to deskbell_owner using (true);
create policy owner_insert on figure_marks for insert to deskbell_owner with check (true);
create policy owner_update on figure_marks for update to deskbell_owner using (true) with check (true);
create policy owner_delete on figure_marks for delete to deskbell_owner using (true);

alter table figure_progress enable row level security;
alter table figure_progress force row level security;
revoke all on figure_progress from public, deskbell_app, deskbell_readonly, deskbell_customer, deskbell_agent, deskbell_admin, deskbell_system;
grant select on figure_progress to deskbell_agent;
create policy agent_select on figure_progress for select to deskbell_agent using (true);
grant select on figure_progress to deskbell_admin;
create policy admin_select on figure_progress for select to deskbell_admin using (true);
grant select on figure_progress to deskbell_system;
create policy system_select on figure_progress for select to deskbell_system using (true);
grant select on figure_progress to deskbell_readonly;
create policy readonly_select on figure_progress for select to deskbell_readonly using (true);
create policy owner_select on figure_progress for select to deskbell_owner using (true);
create policy owner_insert on figure_progress for insert to deskbell_owner with check (true);
create policy owner_update on figure_progress for update to deskbell_owner using (true) with check (true);
create policy owner_delete on figure_progress for delete to deskbell_owner using (true);
