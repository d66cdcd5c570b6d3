-- +goose Up
-- Beside the key, one index: by it a VM is forgotten and its own data exported.
-- With vm_id alone equal keys share one entry; (vm_id, timestamp) was three
-- times as large and made each COPY a third slower. (link_type, region) read as
-- many pages of the table as reading it without an index does: of each of the
-- few link types and regions there is a row on nearly every page.
-- docs/decisions/0016-indexes.md has the figures. Writers wait while it is built.
CREATE INDEX compression_telemetry_vm_idx ON compression_telemetry (vm_id);
DROP INDEX compression_telemetry_vm_id_idx;
DROP INDEX compression_telemetry_link_type_region_idx;

-- +goose Down
CREATE INDEX compression_telemetry_vm_id_idx ON compression_telemetry (vm_id, timestamp);
CREATE INDEX compression_telemetry_link_type_region_idx ON compression_telemetry (link_type, region);
DROP INDEX compression_telemetry_vm_idx;
