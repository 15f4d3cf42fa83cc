//! Actors: hospitals, insurers, universities, companies, municipalities, associations.

use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::vocabulary::Coded;
use crate::kinds::common::{Described, lifetime};
use crate::kinds::dates::Dates;
use crate::kinds::record_type::RecordType;
use crate::value::edtf;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Category of an actor; the first of a record is its main category.
    Category "category" {
        Hospital "hospital" "Krankenhaus" "Hospital";
        HospitalGroup "hospital_group" "Klinikverbund" "Hospital group";
        RehabilitationClinic "rehabilitation_clinic" "Rehabilitationsklinik" "Rehabilitation clinic";
        SpecialistClinic "specialist_clinic" "Spezialklinik" "Specialist clinic";
        MedicalPractice "medical_practice" "Arztpraxis" "Medical practice";
        MedicalCareCentre "medical_care_centre" "Medizinisches Versorgungszentrum" "Medical care centre";
        NursingProvider "nursing_provider" "Pflegeanbieter" "Nursing provider";
        TherapistPractice "therapist_practice" "Therapiepraxis" "Therapist practice";
        Pharmacy "pharmacy" "Apotheke" "Pharmacy";
        MedicalSupplyStore "medical_supply_store" "Sanitätshaus" "Medical supply store";
        Laboratory "laboratory" "Labor" "Laboratory";
        EmergencyService "emergency_service" "Rettungsdienst" "Emergency service";
        HealthInsurer "health_insurer" "Krankenkasse" "Health insurer";
        PensionInsurer "pension_insurer" "Rentenversicherung" "Pension insurer";
        AccidentInsurer "accident_insurer" "Unfallversicherung" "Accident insurer";
        SocialAssociation "social_association" "Sozialverband" "Social association";
        Chamber "chamber" "Kammer" "Chamber";
        ProfessionalAssociation "professional_association" "Berufsverband" "Professional association";
        PatientOrganisation "patient_organisation" "Patientenorganisation" "Patient organisation";
        University "university" "Universität" "University";
        UniversityOfAppliedSciences "university_of_applied_sciences" "Hochschule für angewandte Wissenschaften" "University of applied sciences";
        ResearchInstitute "research_institute" "Forschungsinstitut" "Research institute";
        ResearchOrganisation "research_organisation" "Forschungsorganisation" "Research organisation";
        MedicalTechnology "medical_technology" "Medizintechnik" "Medical technology";
        Pharmaceutical "pharmaceutical" "Pharmazie" "Pharmaceutical company";
        Biotechnology "biotechnology" "Biotechnologie" "Biotechnology";
        DigitalHealth "digital_health" "Digital Health" "Digital health";
        ItCompany "it_company" "IT-Unternehmen" "IT company";
        Logistics "logistics" "Logistik" "Logistics";
        Consultancy "consultancy" "Beratung" "Consultancy";
        Company "company" "Unternehmen" "Company";
        State "state" "Land" "State";
        Municipality "municipality" "Kommune" "Municipality";
        DistrictAuthority "district_authority" "Kreisbehörde" "District authority";
        Ministry "ministry" "Ministerium" "Ministry";
        Authority "authority" "Behörde" "Authority";
        SupranationalInstitution "supranational_institution" "Überstaatliche Einrichtung" "Supranational institution";
        DevelopmentAgency "development_agency" "Wirtschaftsförderung" "Development agency";
        ClusterManagement "cluster_management" "Clustermanagement" "Cluster management";
        Association "association" "Verein oder Verband" "Association";
        Foundation "foundation" "Stiftung" "Foundation";
        StartUpCentre "start_up_centre" "Gründungszentrum" "Start-up centre";
        School "school" "Schule" "School";
    }
}

crate::vocabulary! {
    /// Sector of society of an actor or network.
    Sector "sector" {
        Private "private" "Privat" "Private";
        Public "public" "Öffentlich" "Public";
        Academic "academic" "Wissenschaftlich" "Academic";
        CivilSociety "civil_society" "Zivilgesellschaft" "Civil society";
    }
}

crate::vocabulary! {
    /// Ring of the health economy's value chain.
    ValueChain "value_chain" {
        Core "core" "Kernbereich" "Core";
        Supply "supply" "Vor- und Zulieferbereich" "Supply";
        Synergy "synergy" "Synergiebereich" "Synergy";
    }
}

crate::vocabulary! {
    /// Size of an organisation.
    Size "size" {
        StartUp "start_up" "Start-up" "Start-up";
        Small "small" "Klein" "Small";
        Medium "medium" "Mittel" "Medium";
        Large "large" "Groß" "Large";
    }
}

crate::vocabulary! {
    /// Level of care of a hospital.
    CareLevel "care_level" {
        Basic "basic" "Grund- und Regelversorgung" "Basic care";
        Standard "standard" "Schwerpunktversorgung" "Standard care";
        Specialised "specialised" "Spezialversorgung" "Specialised care";
        Maximal "maximal" "Maximalversorgung" "Maximal care";
    }
}

/// An organisation that takes part: hospital, insurer, university, company, municipality,
/// association.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Actor {
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Categories of the actor; the first is the main one.
    #[schema(max_items = 5, value_type = BTreeSet<Category>)]
    pub categories: Vec<Category>,
    /// Sector of society of the actor.
    pub sector: Option<Sector>,
    /// Rings of the value chain of the actor.
    #[schema(max_items = 3, value_type = BTreeSet<ValueChain>)]
    pub value_chain: Vec<ValueChain>,
    /// Legal form as written.
    #[schema(min_length = 1, max_length = 100, example = "GmbH")]
    pub legal_form: Option<String>,
    /// Size of the organisation.
    pub size: Option<Size>,
    /// Level of care, for hospitals.
    pub care_level: Option<CareLevel>,
    /// When the organisation was founded.
    pub founded: Option<edtf::EdtfDate>,
    /// When the organisation ceased to exist.
    pub dissolved: Option<edtf::EdtfDate>,
}

fn check(body: &Actor) -> Result<(), ValidationError> {
    lifetime(body.founded.as_ref(), body.dissolved.as_ref())
}

impl RecordType for Actor {
    const KIND: Kind = Kind::Actor;
    const A: &'static str = "an actor";
    const TAG: &'static str = "Actors";
    const TAG_DE: &'static str = "Akteure";
    const ABOUT: &'static str =
        "Hospitals, insurers, universities, companies, municipalities, associations.";
    const FILTERS: &'static [Filter] = &[
        Filter::code(
            "category",
            "/categories/*",
            Category::vocabulary,
            "Category of the actor.",
            "hospital",
        ),
        Filter::code(
            "sector",
            "/sector",
            Sector::vocabulary,
            "Sector of society.",
            "public",
        ),
        Filter::code(
            "value_chain",
            "/value_chain/*",
            ValueChain::vocabulary,
            "Rings of the value chain.",
            "core",
        ),
        Filter::code(
            "care_level",
            "/care_level",
            CareLevel::vocabulary,
            "Level of care, for hospitals.",
            "maximal",
        ),
        Filter::code(
            "size",
            "/size",
            Size::vocabulary,
            "Size of the organisation.",
            "small",
        ),
    ];
    const SUGGESTION_RANK: u8 = 0;
    const DATES: Dates = Dates::Lifetime;
    const EXAMPLE: &'static str = r#"{"name":"Klinikum Kassel","categories":["hospital"],"care_level":"maximal","places":[{"label":"in der Region ansässig","region":"nordhessen"}],"home_region":"nordhessen","source":{"document":"000"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
