//! Legal forms in names. Two different ones are two legal entities, however similar the names are.

/// A legal form; a charitable one (gGmbH, gAG) is the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegalForm {
    Gmbh,
    GmbhCoKg,
    Ug,
    Ag,
    Se,
    Kgaa,
    Kg,
    Ohg,
    Gbr,
    Merchant,
    Association,
    Cooperative,
    PublicInstitution,
    PublicBody,
    Partnership,
}

use LegalForm::{
    Ag, Association, Cooperative, Gbr, Gmbh, GmbhCoKg, Kg, Kgaa, Merchant, Ohg, Partnership,
    PublicBody, PublicInstitution, Se, Ug,
};

const FORMS: &[(&[&str], LegalForm)] = &[
    (&["se", "co", "kgaa"], Kgaa),
    (&["ag", "co", "kgaa"], Kgaa),
    (&["gmbh", "co", "kgaa"], Kgaa),
    (&["gmbh", "co", "kg"], GmbhCoKg),
    (&["ug", "haftungsbeschraenkt"], Ug),
    (&["gemeinnuetzige", "gmbh"], Gmbh),
    (&["gem", "gmbh"], Gmbh),
    (&["g", "gmbh"], Gmbh),
    (&["eingetragener", "verein"], Association),
    (&["eingetragene", "genossenschaft"], Cooperative),
    (&["e", "v"], Association),
    (&["e", "g"], Cooperative),
    (&["e", "k"], Merchant),
    (&["m", "b", "h"], Gmbh),
    (&["gesellschaft", "mbh"], Gmbh),
    (&["gmbh"], Gmbh),
    (&["ggmbh"], Gmbh),
    (&["mbh"], Gmbh),
    (&["gag"], Ag),
    (&["ag"], Ag),
    (&["aktiengesellschaft"], Ag),
    (&["kgaa"], Kgaa),
    (&["kg"], Kg),
    (&["ohg"], Ohg),
    (&["gbr"], Gbr),
    (&["ug"], Ug),
    (&["gug"], Ug),
    (&["se"], Se),
    (&["ek"], Merchant),
    (&["eg"], Cooperative),
    (&["aoer"], PublicInstitution),
    (&["kdoer"], PublicBody),
    (&["koer"], PublicBody),
    (&["partg"], Partnership),
    (&["partgmbb"], Partnership),
];

/// Removes the legal form from the words of a name. The first word never belongs to one.
pub(crate) fn take(words: &mut Vec<String>) -> Option<LegalForm> {
    for (form, which) in FORMS {
        let at = words
            .windows(form.len())
            .skip(1)
            .position(|window| window.iter().zip(*form).all(|(a, b)| a == b));
        if let Some(at) = at {
            words.drain(at + 1..at + 1 + form.len());
            return Some(*which);
        }
    }
    // "ev" in the middle may abbreviate "evangelisch".
    if words.len() > 1 && words.last().is_some_and(|word| word == "ev") {
        words.pop();
        return Some(Association);
    }
    None
}

/// Parses a legal form such as `GmbH` or `e. V.`.
pub(crate) fn parse(words: Vec<String>) -> Option<LegalForm> {
    let mut words: Vec<String> = std::iter::once(String::new()).chain(words).collect();
    take(&mut words)
}
