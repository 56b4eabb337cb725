-- Names for everybody who may know them, addresses for the desk alone. Runs as its owner on purpose: a customer may read
-- the name of an agent who answered them, but has no row policy on that agent. It goes out from the customer's own tickets:
-- looking up whether a person occurs in one of them would read all tickets of each agent on the page.
create or replace view people with (security_barrier) as
select u.id, u.full_name, u.is_staff,
       case when current_user <> 'deskbell_customer' or u.id = (select deskbell_actor()) then u.email end as email
  from users u
 where current_user <> 'deskbell_customer'
    or u.id = (select deskbell_actor())
    or u.organization_id = (select deskbell_shared_organization())
    or u.id in (
         select p.id
           from tickets t, lateral (values (t.creator_id), (t.assignee_id)) p (id)
          where t.deleted_at is null
            and (t.creator_id = (select deskbell_actor()) or t.organization_id = (select deskbell_shared_organization())))
    or u.id in (
         select c.author_id
           from tickets t join comments c on c.ticket_id = t.id
          where t.deleted_at is null and not c.is_internal
            and (t.creator_id = (select deskbell_actor()) or t.organization_id = (select deskbell_shared_organization())));
