//! The log of changes: the spine from which everything derived follows.

crate::vocabulary! {
    /// What a log entry did.
    Op "op" {
        Upsert "upsert" "angelegt oder geändert" "created or changed";
        Delete "delete" "gelöscht" "deleted";
        Touch "touch" "Sichtbarkeit geändert" "visibility changed";
    }
}

crate::vocabulary! {
    /// Why a record is gone.
    Cause "cause" {
        Deleted "deleted" "gelöscht" "deleted";
        Merged "merged" "zusammengeführt" "merged";
        Erased "erased" "getilgt" "erased";
    }
}
