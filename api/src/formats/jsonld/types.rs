//! Types of schema.org and of the W3C Organization Ontology, by kind and category.

use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::actor::Category;
use serde_json::Value;

/// The types of a record, the most specific one first.
pub(super) fn types(kind: Kind, record: &Value) -> &'static [&'static str] {
    match kind {
        Kind::Region => &["AdministrativeArea"],
        Kind::Topic => &["DefinedTerm", "skos:Concept"],
        Kind::Actor => {
            let main = record.pointer("/categories/0").and_then(Value::as_str);
            main.and_then(Category::parse)
                .map_or(&["Organization", "org:Organization"], of_category)
        }
        Kind::Network => &["Organization", "org:OrganizationalCollaboration"],
        Kind::Project => &["ResearchProject"],
        Kind::Event => &["Event"],
        Kind::Relationship => &["Role", "vb:Relationship"],
    }
}

fn of_category(category: Category) -> &'static [&'static str] {
    match category {
        Category::Hospital => &["Hospital", "org:Organization"],
        Category::HospitalGroup => &["MedicalOrganization", "org:Organization"],
        Category::RehabilitationClinic
        | Category::SpecialistClinic
        | Category::MedicalCareCentre => &["MedicalClinic", "org:Organization"],
        Category::MedicalPractice | Category::NursingProvider | Category::TherapistPractice => {
            &["MedicalBusiness", "org:Organization"]
        }
        Category::Pharmacy => &["Pharmacy", "org:Organization"],
        Category::MedicalSupplyStore => &["Store", "org:Organization"],
        Category::Laboratory => &["DiagnosticLab", "org:Organization"],
        Category::EmergencyService => &["EmergencyService", "org:Organization"],
        Category::SocialAssociation
        | Category::PatientOrganisation
        | Category::Association
        | Category::Foundation => &["NGO", "org:Organization"],
        Category::University | Category::UniversityOfAppliedSciences => {
            &["CollegeOrUniversity", "org:Organization"]
        }
        Category::ResearchInstitute | Category::ResearchOrganisation => {
            &["ResearchOrganization", "org:Organization"]
        }
        Category::MedicalTechnology
        | Category::Pharmaceutical
        | Category::Biotechnology
        | Category::DigitalHealth
        | Category::ItCompany
        | Category::Logistics
        | Category::Consultancy
        | Category::Company => &["Corporation", "org:Organization"],
        Category::State
        | Category::Municipality
        | Category::DistrictAuthority
        | Category::Ministry
        | Category::Authority
        | Category::SupranationalInstitution => &["GovernmentOrganization", "org:Organization"],
        Category::School => &["School", "org:Organization"],
        Category::HealthInsurer
        | Category::PensionInsurer
        | Category::AccidentInsurer
        | Category::Chamber
        | Category::ProfessionalAssociation
        | Category::DevelopmentAgency
        | Category::ClusterManagement
        | Category::StartUpCentre => &["Organization", "org:Organization"],
    }
}
