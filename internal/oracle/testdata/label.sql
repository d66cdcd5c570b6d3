, flagged AS (
    SELECT *,
           hde_cost < 1e-4::float8 OR amst_cost < 1e-4::float8 AS near_zero_cost,
           amst_transfer_rate_mbps > bandwidth_available_mbps * 1.05::float8
               OR (NOT has_baseline AND entropy_estimate >= 7.5
                   AND repetition_score < 50 AND hde_compression_ratio * entropy_estimate > 16) AS implausible,
           greatest(hde, amst) <= least(hde, amst) * 1.05::float8 AS tie
    FROM utility
)
SELECT event_id,
       CASE WHEN hde > amst THEN 'HDE' ELSE 'AMST' END                                   AS algorithm,
       CASE WHEN hde > amst THEN hde ELSE amst END                                       AS utility,
       CASE WHEN hde > amst THEN amst ELSE hde END                                       AS other,
       greatest(1.0::float8 - CASE WHEN near_zero_cost THEN 0.5 ELSE 0 END
                            - CASE WHEN implausible THEN 0.25 ELSE 0 END, 0)             AS score,
       NOT (near_zero_cost OR implausible)                                               AS candidate,
       nullif(array_remove(ARRAY[CASE WHEN near_zero_cost THEN 'near_zero_cost' END,
                                 CASE WHEN implausible THEN 'implausible' END,
                                 CASE WHEN tie THEN 'tie' END], NULL), '{}')              AS flags
FROM flagged
