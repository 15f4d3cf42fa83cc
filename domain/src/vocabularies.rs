use crate::access::account::TokenScope;
use crate::access::rules::Role;
use crate::base::kind::Kind;
use crate::base::vocabulary::{Coded, Vocabulary};
use crate::kinds::{actor, common, event, network, project, region, relationship};
use crate::matching::score::ReasonCode;
use crate::statements::confirmation::ConfirmationState;
use crate::statements::contact_person::PersonVisibility;
use crate::value::figure::Qualifier;
use crate::value::link::MediaType;

#[must_use]
pub fn all() -> Vec<Vocabulary> {
    vec![
        Kind::vocabulary(),
        common::Publication::vocabulary(),
        common::NameType::vocabulary(),
        MediaType::vocabulary(),
        Qualifier::vocabulary(),
        actor::Category::vocabulary(),
        actor::Sector::vocabulary(),
        actor::ValueChain::vocabulary(),
        actor::Size::vocabulary(),
        actor::CareLevel::vocabulary(),
        network::NetworkType::vocabulary(),
        network::NetworkPhase::vocabulary(),
        region::RegionLevel::vocabulary(),
        project::ProjectPhase::vocabulary(),
        project::MilestoneState::vocabulary(),
        project::OutcomeType::vocabulary(),
        event::EventType::vocabulary(),
        event::EventMode::vocabulary(),
        event::EventStatus::vocabulary(),
        relationship::RelationshipType::vocabulary(),
        relationship::RelationshipRole::vocabulary(),
        ConfirmationState::vocabulary(),
        PersonVisibility::vocabulary(),
        Role::vocabulary(),
        ReasonCode::vocabulary(),
        TokenScope::vocabulary(),
    ]
}
