-- Forgets sessions that were replaced long ago: no process of theirs is left, and an unknown session is refused too.
delete from superseded_sessions where superseded_at < now() - interval '7 days'
