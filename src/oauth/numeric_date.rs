//! Times in what others sign (RFC 7519 §2, "`NumericDate`"): seconds, with a fraction or without.

use serde_json::Value;

/// The whole seconds of a time; `None` for what is no number. One that is out of range is as far away as can be.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(whole))
}

fn whole(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and whoever asks refuses what is that far away"
    )]
    let whole = number as i64;
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fraction_is_cut_and_what_is_no_number_is_nothing() {
        assert_eq!(seconds(&json!(7)), Some(7));
        assert_eq!(seconds(&json!(7.9)), Some(7));
        assert_eq!(seconds(&json!(-7.9)), Some(-7));
        assert_eq!(seconds(&json!(1e300)), Some(i64::MAX));
        assert_eq!(seconds(&json!(u64::MAX)), Some(i64::MAX));
        for other in [json!("7"), json!(null), json!([7]), json!(true)] {
            assert_eq!(seconds(&other), None, "{other}");
        }
    }
}
