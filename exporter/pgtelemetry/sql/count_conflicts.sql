-- Rows that were there already, with other content under the same id. The
-- pseudonym counts only under the same key. %[1]s and %[2]s: the columns that
-- make the content, of what is stored and of what came.
SELECT count(*)
FROM pg_temp.dwcp_merge AS came
JOIN public.compression_telemetry AS stored USING (timestamp, event_id)
WHERE stored.timestamp BETWEEN $1 AND $2
  AND ((%[1]s) IS DISTINCT FROM (%[2]s)
       OR stored.vm_key_id IS NOT DISTINCT FROM came.vm_key_id AND stored.vm_id <> came.vm_id)
