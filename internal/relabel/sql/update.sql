-- All of a label together. The rows lie between the first and the last key of the
-- batch: by these bounds they are found in their partitions.
UPDATE public.compression_telemetry AS t
SET oracle_algorithm = n.algorithm, oracle_utility_score = n.utility, oracle_other_utility = n.other, oracle_version = $1,
    oracle_computation_time_ms = $2, is_training_candidate = n.candidate, quality_score = n.score,
    quality_flags = string_to_array(nullif(n.flags, ''), ',')
FROM unnest($3::timestamptz[], $4::uuid[], $5::text[], $6::float8[], $7::float8[], $8::bool[], $9::float8[], $10::text[])
     AS n (timestamp, event_id, algorithm, utility, other, candidate, score, flags)
WHERE t.timestamp = n.timestamp AND t.event_id = n.event_id AND t.timestamp BETWEEN $11 AND $12
