//! What the columns of a source's tables mean, records by name, which tables refer to, and
//! identifiers that several records share.

pub(super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE source_columns (
        system text NOT NULL,
        kind text NOT NULL,
        mapping text NOT NULL,
        PRIMARY KEY (system, kind))",
    "CREATE INDEX record_name ON record (name)",
    "DROP INDEX identifier_own_value",
    // The schemes of `Scheme::is_shared`.
    "CREATE UNIQUE INDEX identifier_own_value ON identifier (scheme, value, origin)
        WHERE NOT copied
        AND scheme NOT IN ('ik', 'bsnr', 'vat', 'handelsregister', 'vereinsregister', 'fkz')",
];
