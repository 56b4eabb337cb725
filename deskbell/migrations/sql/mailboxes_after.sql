-- `updated_at` is kept by the database, whichever way the change came.

create trigger keep_updated_at before update on mailboxes for each row execute function deskbell_touch();
create trigger keep_updated_at before update on letter_templates for each row execute function deskbell_touch();
