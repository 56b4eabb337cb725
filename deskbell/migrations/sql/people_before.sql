-- Names for everybody who may know them, addresses for the desk alone. Runs as its owner on purpose: a customer may read
-- the name of an agent who answered them, but has no row policy on that agent.
create or replace view people with (security_barrier) as
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

