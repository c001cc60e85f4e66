/// Defines enums whose variants have the same names, in snake case, in JSON, in texts, in the database and in
/// the description of the API.
macro_rules! named {
    ($($(#[$attribute:meta])* pub enum $name:ident $variants:tt)+) => {$(
        $crate::named::words! {
            $(#[$attribute])*
            #[cfg_attr(
                feature = "database",
                derive(sea_orm::DeriveActiveEnum),
                sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
            )]
            pub enum $name $variants
        }
    )+};
}

/// As [`named`], without the database.
macro_rules! words {
    ($($(#[$attribute:meta])* pub enum $name:ident $variants:tt)+) => {$(
        $(#[$attribute])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            serde::Serialize,
            serde::Deserialize,
            strum::Display,
            strum::EnumIter,
            strum::EnumString,
            strum::IntoStaticStr,
        )]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case", const_into_str)]
        pub enum $name $variants
    )+};
}
pub(crate) use {named, words};
