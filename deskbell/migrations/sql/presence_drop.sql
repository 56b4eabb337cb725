-- Everything about who is there and who has seen what.

drop trigger keep_seen on tickets;
drop function deskbell_keep_seen();
drop table ticket_presence, ticket_reads;
