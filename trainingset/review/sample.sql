-- Rows of each stratum in an order that the seed gives. First comes one of each
-- stratum, the largest first, then as many of each as is its share. What is
-- sorted is narrow; the facts of the few are looked up by the key.
WITH numbered AS (
    SELECT timestamp, event_id, md5($1 || event_id::text) AS place,
           row_number() OVER (PARTITION BY link_type, payload_type, oracle_algorithm ORDER BY md5($1 || event_id::text), event_id) AS k,
           count(*) OVER (PARTITION BY link_type, payload_type, oracle_algorithm) AS n
    FROM public.compression_telemetry_ml
    WHERE timestamp >= $2 AND timestamp < $3 AND (is_training_candidate OR NOT $4)
), chosen AS (
    SELECT * FROM numbered ORDER BY k > 1, (k - 0.5) / n, place LIMIT $5
)
SELECT t.event_id::text, t.oracle_algorithm, coalesce(t.oracle_version, ''), t.link_type, t.payload_type, c.n, ARRAY[%s]
FROM chosen AS c JOIN public.compression_telemetry_ml AS t ON t.timestamp = c.timestamp AND t.event_id = c.event_id
ORDER BY c.place
