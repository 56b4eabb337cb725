-- Takes back job_queue.sql and the library's schema. Jobs that wait are lost.
drop function if exists deskbell_add_job;
drop schema if exists jobs cascade;
