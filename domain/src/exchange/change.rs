//! The log of changes, from which everything derived is updated.

crate::vocabulary! {
    /// Operation of a log entry.
    Op "op" {
        Upsert "upsert" "angelegt oder geändert" "created or changed";
        Delete "delete" "gelöscht" "deleted";
        Visibility "visibility" "Sichtbarkeit geändert" "visibility changed";
    }
}

crate::vocabulary! {
    /// Reason why a record no longer exists, or why the node itself changed it.
    Cause "cause" {
        Deleted "deleted" "gelöscht" "deleted";
        Merged "merged" "zusammengeführt" "merged";
        Erased "erased" "getilgt" "erased";
        Schema "schema" "Felder umbenannt" "members renamed";
    }
}
