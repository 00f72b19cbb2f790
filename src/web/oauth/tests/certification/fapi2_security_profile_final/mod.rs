//! The plan of the FAPI 2.0 Security Profile (Final) for providers, `fapi2-security-profile-final-test-plan`, in the variant
//! `client_auth_type=private_key_jwt`, `sender_constrain=dpop`, `openid=openid_connect`, `fapi_profile=plain_fapi`,
//! `authorization_request_type=simple`, `grant_management=disabled`: requests are pushed and unsigned, answers are plain.
//!
//! Every module of the plan is called `fapi2-security-profile-final-…`; a test has the rest of that name. The modules that
//! the plan leaves out in this variant are of the profiles of single countries:
//!
//! | module | of |
//! | --- | --- |
//! | `ensure-registered-redirect-uri` | profiles that forbid what `plain-fapi-tolerate-unregistered-redirect-uri` lets a provider choose |
//! | `australia-connectid-ensure-invalid-purpose-fails`, `australia-connectid-test-claims-parameter-idtoken-identity-claims` | ConnectID |
//! | `brazil-ensure-bad-payment-signature-fails` | Open Finance Brasil |
//! | `ensure-server-handles-non-matching-intent-id`, `test-essential-acr-sca-claim` | Open Banking UK |
//!
//! What `happy-flow` and `ensure-holder-of-key-required` want of TLS is tried where TLS is, in `web::server`.
//!
//! | file | modules about |
//! | --- | --- |
//! | [`flow`] | the whole way, and what is at its ends |
//! | [`request`] | what a request says |
//! | [`pushed`] | the endpoint where it is pushed, and the reference that comes back |
//! | [`token`] | the code, and the proof of the client |
//! | [`proof`] | the proof of possession |

mod client;
mod flow;
mod proof;
mod pushed;
mod request;
mod token;

use super::plan;
use super::user_agent::Delivery;

plan! { Delivery::Query;
    flow::{
        discovery_end_point_verification, happy_flow, user_rejects_authentication, test_claims_parameter_identity_claims,
        access_token_type_header_case_sensitivity, refresh_token,
    };
    request::{
        ensure_authorization_request_without_state_success, ensure_authorization_request_without_nonce_success,
        ensure_authorization_request_with_64_char_nonce_success, ensure_other_scope_order_succeeds,
        ensure_different_nonce_inside_and_outside_request_object,
        ensure_different_state_inside_and_outside_request_object, ensure_authorization_request_with_long_nonce,
        ensure_authorization_request_with_long_state, state_only_outside_request_object_not_used,
        ensure_request_object_without_redirect_uri_fails, plain_fapi_tolerate_unregistered_redirect_uri,
        ensure_unsigned_authorization_request_without_using_par_fails, ensure_redirect_uri_in_authorization_request,
        ensure_response_type_code_idtoken_fails, ensure_response_type_token_fails,
    };
    pushed::{
        par_ensure_reused_request_uri_prior_to_auth_completion_succeeds, par_attempt_reuse_request_uri,
        par_attempt_to_use_expired_request_uri, par_attempt_to_use_request_uri_for_different_client,
        par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted,
        par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails,
        par_authorization_request_containing_request_uri_form_param, par_attempt_invalid_http_method,
        par_ensure_pkce_required, par_plain_pkce_rejected, par_without_duplicate_parameters,
        par_test_array_as_audience_fails, par_test_par_endpoint_url_as_audience_fails,
        par_test_token_endpoint_url_as_audience_fails,
    };
    token::{
        ensure_client_id_in_token_endpoint, ensure_holder_of_key_required,
        ensure_authorization_code_is_bound_to_client, attempt_reuse_authorization_code_after_one_second,
        ensure_token_endpoint_fails_with_expired_auth_code, ensure_signed_client_assertion_with_rs256_fails,
        ensure_client_assertion_in_token_endpoint, ensure_client_assertion_with_exp_is_5_minutes_in_past_fails,
        ensure_client_assertion_with_wrong_aud_fails, ensure_client_assertion_with_no_sub_fails,
        ensure_pkce_code_verifier_required, incorrect_pkce_code_verifier_rejected,
    };
    proof::{
        check_dpop_proof_nbf_exp, ensure_dpopproof_with_iat_10seconds_before_succeeds,
        ensure_dpopproof_with_iat_10seconds_after_succeeds, ensure_mismatched_dpop_jkt_fails,
        ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt,
        ensure_token_endpoint_fails_with_mismatched_dpop_jkt, ensure_dpopproof_at_par_endpoint_binding_success,
        ensure_dpop_auth_code_binding_success, dpop_negative_tests,
    };
}
