//! Statements about records that are not part of them: applications, confirmations, contact
//! persons.

pub mod application;
pub mod confirmation;
pub mod contact_person;
pub mod personal_data;
