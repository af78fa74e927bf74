-- The log of accesses can be read by its project, newest first, also of one record or one build.
drop index secret_accesses_record;
create index secret_accesses_record on secret_accesses (project, record_id, id);
create index secret_accesses_build on secret_accesses (project, build_id, id) where build_id <> '';
create index secret_accesses_project on secret_accesses (project, id);

-- Where a connection's token comes from: copied by somebody, or authorized at the provider.
alter table connections add column credential_kind text not null default 'access_token'
    check (credential_kind in ('access_token', 'oauth'));
