-- Fills the table with $1 made-up decisions of 5,000 VMs over the last 19 days.
INSERT INTO compression_telemetry (timestamp, vm_id, request_id, session_id, link_type, region, network_tier,
    bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, entropy_estimate, repetition_score,
    has_baseline, hde_compression_ratio, hde_delta_hit_rate, hde_latency_ms, hde_cpu_usage, amst_stream_count,
    amst_transfer_rate_mbps, amst_latency_ms, amst_cpu_usage, oracle_algorithm, oracle_utility_score,
    is_training_candidate, quality_score, event_id, environment, vm_key_id, oracle_other_utility, oracle_version)
SELECT now() - interval '19 days' + i * (interval '19 days' / ($1::bigint + 1)),
    encode(sha256((i % 5000)::text::bytea), 'hex'), 'req-' || i, 'session-' || (i % 5000) || '-' || (i / 50000),
    (ARRAY['dc', 'metro', 'wan', 'edge'])[1 + i % 4], (ARRAY['us-west-2', 'eu-west-1', 'ap-south-1'])[1 + i % 3], 1 + i % 3,
    round((random() * 1000 + 1)::numeric, 6), round((random() * 100)::numeric, 6), round((random() * 90)::numeric, 6),
    (random() * 1e7)::bigint + 1, (ARRAY['vm_memory', 'vm_disk', 'database', 'encrypted', 'log'])[1 + i % 5],
    CASE WHEN i % 20 > 0 THEN round((random() * 8)::numeric, 6) END, round((random() * 100)::numeric, 6),
    i % 2 = 0, round((random() * 9 + 0.1)::numeric, 6), round((random() * 100)::numeric, 6), round((random() * 900)::numeric, 6),
    round((random() * 100)::numeric, 6), 8,
    round((random() * 900)::numeric, 6), round((random() * 900)::numeric, 6), round((random() * 100)::numeric, 6),
    CASE WHEN random() < 0.7 THEN 'AMST' ELSE 'HDE' END, random() * 1e5,
    true, 1, gen_random_uuid(), 'production', 'k1', random() * 1e5, 'plan/1'
FROM generate_series(1, $1::bigint) AS i
