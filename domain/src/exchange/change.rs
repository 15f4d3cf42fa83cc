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

crate::vocabulary! {
    /// Why a relationship stays deleted when a record is restored.
    LeftOut "left_out" {
        EndMissing "end-missing" "ein Ende ist nicht mehr da" "an end is gone";
        StatedAgain "stated-again" "die Beziehung wurde inzwischen neu angegeben" "the relationship was stated again meanwhile";
        NotAllowed "not-allowed" "Sie dürfen diese Beziehung nicht schreiben" "you may not write this relationship";
        Pruned "pruned" "die letzte Fassung wird nicht mehr aufbewahrt" "the last version is no longer kept";
        Invalid "invalid" "die letzte Fassung gilt nach heutigen Regeln nicht" "the last version is invalid by the rules of today";
    }
}
