-- The transactions that have written into the table or among the rejected and
-- have not ended.
SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}')
FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation IN ('public.compression_telemetry'::regclass, 'public.compression_telemetry_rejected'::regclass)
