SELECT a.attname,
       format_type(a.atttypid, a.atttypmod),
       a.attnotnull,
       a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass('public.compression_telemetry') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
