//! OpenID Connect Core §3.1.2.1, `acr_values`: "requested as a Voluntary Claim", so never a reason to refuse. The ID
//! Token says which class was reached.

use crate::oauth::parameters::Parameters;

pub(super) fn read(parameters: &Parameters) -> Vec<String> {
    let values = parameters.get("acr_values").unwrap_or_default();
    values.split_ascii_whitespace().map(str::to_owned).collect()
}
