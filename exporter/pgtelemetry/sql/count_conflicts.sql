-- Rows that were there already, with other content under the same id. The
-- pseudonym counts only under the same key. The two lists are the columns that
-- make the content, of what is stored and of what came. LIMIT keeps the look-up
-- a look-up by key: as a join it may become one of every row with every other.
SELECT count(*)
FROM pg_temp.dwcp_merge AS came
CROSS JOIN LATERAL (
    SELECT * FROM public.compression_telemetry AS found
    WHERE found.timestamp = came.timestamp AND found.event_id = came.event_id
    LIMIT 1
) AS stored
WHERE (%[1]s) IS DISTINCT FROM (%[2]s)
   OR stored.vm_key_id IS NOT DISTINCT FROM came.vm_key_id AND stored.vm_id <> came.vm_id
