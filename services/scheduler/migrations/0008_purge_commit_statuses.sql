-- What was told long ago is removed.
create index commit_statuses_told on commit_statuses (changed_at) where due_at is null;
