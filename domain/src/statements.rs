//! What is said about records beside them: applications, confirmations, contact persons.

pub mod application;
pub mod confirmation;
pub mod contact_person;
pub mod personal_data;
