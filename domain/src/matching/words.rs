//! Words of names with little significance, and spelling variants.

/// Words that do not distinguish two names.
const STOP: &[&str] = &[
    "der", "die", "das", "des", "dem", "den", "und", "fuer", "in", "im", "am", "an", "auf", "bei",
    "beim", "von", "vom", "zu", "zur", "zum", "aus", "mit", "of", "the", "and", "for", "at", "et",
    "dr", "prof", "med", "dent", "dipl",
];

/// Spelling variants: the first is expanded to the second.
const SPELT: &[(&str, &str)] = &[
    ("st", "sankt"),
    ("uni", "universitaet"),
    ("university", "universitaet"),
    ("uniklinik", "universitaetsklinikum"),
    ("uniklinikum", "universitaetsklinikum"),
    ("universitaetsklinik", "universitaetsklinikum"),
    ("tu", "technische universitaet"),
    ("fh", "fachhochschule"),
    ("th", "technische hochschule"),
    ("drk", "deutsches rotes kreuz"),
    ("asb", "arbeiter samariter bund"),
    ("awo", "arbeiterwohlfahrt"),
    ("drv", "deutsche rentenversicherung"),
    ("kv", "kassenaerztliche vereinigung"),
    ("bg", "berufsgenossenschaftliches"),
    ("mvz", "medizinisches versorgungszentrum"),
    ("nrw", "nordrhein westfalen"),
    ("owl", "ostwestfalen lippe"),
    ("rlp", "rheinland pfalz"),
    ("kath", "katholisches"),
    ("evang", "evangelisches"),
    ("ev", "evangelisches"),
    ("staedt", "staedtisches"),
    ("gem", "gemeinnuetzige"),
    ("kh", "krankenhaus"),
    ("rv", "regionalverband"),
    ("lv", "landesverband"),
    ("ov", "ortsverband"),
    ("lk", "kreis"),
    ("landkreis", "kreis"),
    ("landkreises", "kreis"),
    ("bundesinst", "bundesinstitut"),
    ("erste", "1"),
    ("erster", "1"),
    ("erstes", "1"),
    ("zweite", "2"),
    ("zweiter", "2"),
    ("zweites", "2"),
    ("dritte", "3"),
    ("dritter", "3"),
    ("drittes", "3"),
    ("vierte", "4"),
    ("vierter", "4"),
    ("viertes", "4"),
    ("fuenfte", "5"),
    ("fuenfter", "5"),
    ("fuenftes", "5"),
    ("ii", "2"),
    ("iii", "3"),
    ("iv", "4"),
];

const COMMON: &[&str] = &[
    "apotheke",
    "praxis",
    "hausarztpraxis",
    "zahnarztpraxis",
    "gemeinschaftspraxis",
    "physiotherapie",
    "ergotherapie",
    "logopaedie",
    "pflegedienst",
    "pflegeheim",
    "altenheim",
    "seniorenheim",
    "seniorenzentrum",
    "seniorenresidenz",
    "altenpflegeheim",
    "pflegezentrum",
    "sozialstation",
    "diakoniestation",
    "diakonie",
    "caritas",
    "caritasverband",
    "lebenshilfe",
    "haus",
    "klinik",
    "klinikum",
    "krankenhaus",
    "hospital",
    "marienhospital",
    "marienkrankenhaus",
    "tagesklinik",
    "fachklinik",
    "rehaklinik",
    "zentrum",
    "gesundheitszentrum",
    "gesundheitsamt",
    "jugendamt",
    "sanitaetshaus",
    "rettungsdienst",
    "medizinisches",
    "versorgungszentrum",
    "evangelisches",
    "katholisches",
    "staedtisches",
    "sankt",
    "gesellschaft",
    "verband",
    "verein",
    "netzwerk",
    "gesundheitsnetz",
    "aerztenetz",
    "hausarztnetz",
    "palliativnetz",
    "stadt",
    "kreis",
    "kreisverband",
    "ortsverein",
    "gesundheitsregion",
    "jahrestagung",
    "sprechstunde",
    "workshop",
    "optik",
    "labor",
    "schule",
    "foerderverein",
    "hospiz",
    "hospizdienst",
    "volkshochschule",
];

/// Words that a name may have or lack without being another name.
const SOFT: &[&str] = &[
    "ambulanter",
    "ambulante",
    "workshop",
    "labor",
    "gruppe",
    "gruppen",
    "unternehmensgruppe",
    "projekt",
    "gemeinnuetzige",
    "staedtisches",
    "staedtische",
    "webinar",
    "veranstaltung",
    "fachtagung",
    "kommanditgesellschaft",
    "team",
    "firma",
    "offizin",
];

/// Words that turn the name of a whole into the name of a part or a related body.
const PART: &[&str] = &[
    "foerderverein",
    "freundeskreis",
    "foerdererkreis",
    "service",
    "servicegesellschaft",
    "stiftung",
    "institut",
    "abteilung",
    "fakultaet",
    "bibliothek",
    "universitaetsbibliothek",
    "schule",
    "pflegeschule",
    "krankenpflegeschule",
    "akademie",
    "holding",
    "wohnen",
    "versorgungszentrum",
    "kreis",
    "klinik",
    "zentrum",
    "lehrstuhl",
    "station",
    "ambulanz",
    "tagesklinik",
    "betriebsrat",
    "fachbereich",
    "department",
    "campus",
    "standort",
    "filiale",
    "zweigstelle",
    "pflegekasse",
    "reha",
    "catering",
    "logistik",
    "beteiligungs",
    "verwaltungs",
    "immobilien",
    "energie",
];

/// Endings of words for local institutions with likely namesakes in other towns.
const LOCAL: &[&str] = &[
    "apotheke",
    "praxis",
    "therapie",
    "logopaedie",
    "dienst",
    "heim",
    "residenz",
    "station",
    "haus",
    "klinik",
    "klinikum",
    "hospital",
    "hospiz",
    "zentrum",
    "amt",
    "markt",
    "verband",
    "verein",
    "stift",
    "optik",
    "schule",
    "sprechstunde",
    "netz",
];

const SHOP: &[&str] = &[
    "apotheke",
    "praxis",
    "therapie",
    "logopaedie",
    "markt",
    "optik",
    "heim",
];

pub(crate) fn spelt_out(word: &str) -> Option<&'static str> {
    let found = SPELT.iter().find(|(short, _)| *short == word);
    found.map(|(_, long)| *long)
}

pub(crate) fn is_stop(word: &str) -> bool {
    STOP.contains(&word)
}

pub(crate) fn is_common(word: &str) -> bool {
    COMMON.contains(&word)
}

pub(crate) fn is_soft(word: &str) -> bool {
    SOFT.contains(&word)
}

pub(crate) fn is_part(word: &str) -> bool {
    PART.contains(&word)
}

pub(crate) fn is_local(word: &str) -> bool {
    LOCAL.iter().any(|ending| word.ends_with(ending))
}

pub(crate) fn is_shop(word: &str) -> bool {
    SHOP.iter().any(|ending| word.ends_with(ending))
}
