-- Takes back what server_statistics.sql made.
drop function deskbell_forget_statements(), deskbell_slow_statements(text, integer), deskbell_statement_source(),
  deskbell_retry_job(bigint), deskbell_jobs(text, bigint, integer), deskbell_queue(integer), deskbell_partition_ranges(),
  deskbell_transactions(interval, integer), deskbell_connections(), deskbell_index_sizes(), deskbell_table_sizes(),
  deskbell_server(), deskbell_note_operation(text);
drop index jobs.ix_procrastinate_jobs_status;
