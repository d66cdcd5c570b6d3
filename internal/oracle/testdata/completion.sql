-- completion/1 as PostgreSQL computes it, from the stored columns alone.
WITH cost AS (
    SELECT *,
           hde_latency_ms + rtt_ms + greatest(amst_latency_ms - rtt_ms, 0) / hde_compression_ratio AS hde_cost,
           amst_latency_ms                                                                        AS amst_cost
    FROM compression_telemetry
), utility AS (
    SELECT *,
           1000 / greatest(hde_cost, 1e-6::float8)  AS hde,
           1000 / greatest(amst_cost, 1e-6::float8) AS amst
    FROM cost
)
