use std::net::IpAddr;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::error::AuthError;
use crate::limits;
use crate::link::entity as link;
use crate::link::entity::Purpose;
use crate::link::refusal::LinkRefusal;
use crate::state::State;
use crate::user::email::Email;

const MAX_CHARS: u64 = 200;

/// The proof that a client has read a mail: the token of its link, or the code with the id that the request
/// for the mail returned.
#[derive(Clone, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// From the link.
    #[validate(length(max = MAX_CHARS))]
    #[schema(max_length = 200)]
    pub token: Option<String>,
    pub request_id: Option<Uuid>,
    /// The six digits of the mail.
    #[validate(length(max = MAX_CHARS))]
    #[schema(max_length = 200)]
    pub code: Option<String>,
    /// In place of `requestId`; for invitations, which the invited person has not requested.
    pub email: Option<Email>,
}

impl Proof {
    /// Returns the link if it can be used for this purpose.
    ///
    /// # Errors
    /// [`AuthError::Link`] with the reason. Each try of a code counts.
    pub async fn link(&self, state: &State, purpose: Purpose, ip: IpAddr) -> Result<link::Model, AuthError> {
        let found = match (&self.token, &self.code) {
            (Some(token), None) => link::by_id(&state.database, state.links.read(token)?).await?,
            (None, Some(code)) => self.by_code(state, code, purpose, ip).await?,
            _ => return Err(AuthError::NoProof),
        };
        // A genuine token without a row belongs to a link that was deleted after its end.
        let link = found.ok_or(LinkRefusal::Expired)?;
        if link.purpose != purpose {
            return Err(LinkRefusal::Foreign.into());
        }
        link.check(state.platform.clock().now())?;
        Ok(link)
    }

    async fn by_code(
        &self,
        state: &State,
        code: &str,
        purpose: Purpose,
        ip: IpAddr,
    ) -> Result<Option<link::Model>, AuthError> {
        limits::check_wrong_codes(state, ip).await?;
        let now = state.platform.clock().now();
        let found = match (self.request_id, &self.email) {
            (Some(id), None) => link::by_id(&state.database, id).await?,
            (None, Some(email)) if purpose == Purpose::Invitation => {
                link::open_invitation(&state.database, email, now).await?
            }
            _ => return Err(AuthError::NoProof),
        };
        let found = found.filter(|link| link.purpose == purpose);
        // Counted before the comparison, so that parallel guesses are counted too.
        let has_tries = match &found {
            Some(link) => link::count_code(&state.database, link.id).await?,
            None => true,
        };
        let found = found.filter(|link| has_tries && state.links.is_code(link.id, code));
        if found.is_some() {
            return Ok(found);
        }
        limits::count_wrong_code(state, ip).await;
        // A client that names only an address must not learn whether it was invited, and a request for an address
        // without an account gets the response of a wrong code.
        let is_over = !has_tries && self.email.is_none();
        Err(if is_over { LinkRefusal::TooManyCodes } else { LinkRefusal::WrongCode }.into())
    }
}
