-- The next rows by the key that carry another version. %[1]s is what a label is
-- made of, %[2]s locks them. Bounds on the timestamp alone let the planner leave
-- out partitions.
SELECT %[1]s
FROM public.compression_telemetry
WHERE timestamp >= $1 AND (timestamp, event_id) > ($1, $2) AND timestamp < $3
  AND oracle_version IS DISTINCT FROM $4
ORDER BY timestamp, event_id
LIMIT $5
%[2]s
