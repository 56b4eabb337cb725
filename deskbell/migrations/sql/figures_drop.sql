-- Everything that keeps figures of past days.

drop trigger figures_insert on tickets;
drop trigger figures_update on tickets;
drop trigger figures_delete on tickets;
drop trigger figures_tagged on ticket_tags;
drop trigger figures_untagged on ticket_tags;
drop trigger figures_tag_before on ticket_tags;
drop trigger figures_tag_after on ticket_tags;
drop function deskbell_tag_flow(date, date);
drop function deskbell_flow(date, date, text);
drop function deskbell_value_of(text, tickets);
drop function deskbell_kept_figures(timestamptz, timestamptz, text[]);
drop function deskbell_counted_figures(timestamptz, timestamptz, text[]);
drop function deskbell_keep_figures(integer, integer);
drop function deskbell_days_to_count();
drop function deskbell_count_days(date, date);
drop function deskbell_mark_inserted();
drop function deskbell_mark_updated();
drop function deskbell_mark_deleted();
drop function deskbell_mark_tagged();
drop function deskbell_utc_midnight(date);
drop function deskbell_utc_day(timestamptz);
drop function deskbell_days_over();
drop table ticket_figures, figure_marks, figure_progress;
drop index ix_tickets_resolved_at;
