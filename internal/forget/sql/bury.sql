-- A tombstone that is there already stands for longer. Its id is a new one, for
-- exporters to see that the set has changed.
INSERT INTO public.compression_telemetry_forgotten (vm_id, vm_key_id, until)
SELECT vm_id, vm_key_id, now() + $3::interval FROM unnest($1::text[], $2::text[]) AS t (vm_id, vm_key_id)
ON CONFLICT (vm_id) DO UPDATE SET id = DEFAULT, until = greatest(compression_telemetry_forgotten.until, excluded.until)
RETURNING until
