-- plan/1 as PostgreSQL computes it, from the stored columns alone.
WITH cost AS (
    SELECT *,
           hde_latency_ms * hde_cpu_usage * 0.01::float8   AS hde_cost,
           amst_latency_ms * amst_cpu_usage * 0.01::float8 AS amst_cost
    FROM compression_telemetry
), utility AS (
    SELECT *,
           hde_compression_ratio * bandwidth_available_mbps / (hde_cost + 1e-6::float8)                     AS hde,
           amst_transfer_rate_mbps * bandwidth_available_mbps * 0.01::float8 / (amst_cost + 1e-6::float8) AS amst
    FROM cost
)
