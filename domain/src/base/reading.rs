//! Values that are taken otherwise than they were written.

use crate::base::fault::{Fault, FaultCode};
use crate::base::vocabulary::Coded;

crate::vocabulary! {
    /// Why a value is not taken as it was written.
    Reason "reading_reason" {
        Blanks "blanks" "Leerzeichen am Rand und unsichtbare Zeichen entfernt" "outer blanks and invisible characters removed";
        Composed "composed" "Buchstaben und ihre Zeichen verbunden (Unicode NFC)" "letters combined with their marks (Unicode NFC)";
        RepeatedHour "repeated-hour" "diese Stunde gibt es an dem Tag zweimal; genommen wurde die erste" "that hour occurs twice on that day; the first one was taken";
        SkippedHour "skipped-hour" "diese Stunde fällt an dem Tag aus, weil die Uhren vorgestellt werden; genommen wurde die nächste" "that hour is skipped on that day, as clocks go forward; the next one was taken";
        Label "label" "Bezeichnung durch ihren Code ersetzt" "label replaced by its code";
        Number "number" "als Zahl gelesen" "read as a number";
        Truth "truth" "als wahr oder falsch gelesen" "read as true or false";
        Date "date" "als Datum gelesen" "read as a date";
        Zeros "zeros" "führende Null ergänzt" "leading zero restored";
        Url "url" "als Adresse im Web gelesen" "read as an address on the web";
        Estimate "estimate" "Zahl und Genauigkeit getrennt" "number and its exactness separated";
        Identifier "identifier" "Schreibweise der Kennung vereinheitlicht" "identifier in its canonical form";
        Name "name" "Name durch seinen Datensatz ersetzt" "name replaced by its record";
        Merged "merged" "aus der verbundenen Zelle übernommen" "taken from the merged cell";
        Empty "empty" "Zeichen für einen fehlenden Wert" "sign of a missing value";
        Person "person" "Personen stehen nicht in Datensätzen; legen Sie die Kontaktperson mit ihrer Rechtsgrundlage eigens an" "persons are not in records; add the contact person separately, with the legal basis";
        Ignored "ignored" "Spalte ist ausgenommen" "column is excluded";
        Invalid "invalid" "der Wert ist ungültig" "the value is invalid";
    }
}

impl Reason {
    /// What is reported of a value: `read-as`, or `left-out` if nothing was taken.
    #[must_use]
    pub fn fault(self, given: &str, taken: &str) -> Fault {
        let code = if taken.is_empty() {
            FaultCode::LeftOut
        } else {
            FaultCode::ReadAs
        };
        let labels = self.labels();
        Fault::new(code)
            .with("given", given)
            .with("taken", taken)
            .with("why", labels.en)
            .with("why_de", labels.de)
            .with("reason", self.code())
    }
}
