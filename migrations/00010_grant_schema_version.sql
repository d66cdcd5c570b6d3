-- +goose Up
-- An export says which schema it was made of, and the ML team exports. The
-- table is where goose put it.
GRANT SELECT ON goose_db_version TO dwcp_ml_reader;

-- +goose Down
REVOKE SELECT ON goose_db_version FROM dwcp_ml_reader;
