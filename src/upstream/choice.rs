//! Which ways in a page offers to whoever comes from a service: those that make sense for the people whom the service is for.

use crate::domain::upstream::{Population, ProviderId};

/// A provider that is open, as a page needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The provider.
    pub provider: ProviderId,
    /// Its name.
    pub name: String,
    /// Whom it is for.
    pub populations: Vec<Population>,
}

/// What a page is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Whom the service is for; empty for everybody.
    pub populations: &'a [Population],
    /// The provider that the service names (`idp_hint`, a parameter of CAS).
    pub hint: Option<&'a str>,
    /// The provider by which somebody last came in this browser; never on a shared device.
    pub remembered: Option<&'a str>,
}

/// The ways that a page offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The provider that the service named: nobody has to choose.
    pub named: Option<ProviderId>,
    /// Every way, the remembered one first.
    pub ways: Vec<Way>,
    /// Whether the first of them is the remembered one.
    pub is_remembered: bool,
    /// Whether the service is for pupils too, who may come by the page of their class.
    pub is_for_pupils: bool,
}

/// Chooses among the ways that are open.
pub fn choose(open: Vec<Way>, asked: Asked<'_>) -> Choice {
    let wanted =
        |population: &Population| asked.populations.is_empty() || asked.populations.contains(population);
    let mut ways: Vec<Way> = open
        .into_iter()
        .filter(|way| way.populations.iter().any(wanted))
        .collect();
    let named = asked
        .hint
        .and_then(|hint| ways.iter().find(|way| way.provider.as_str() == hint))
        .map(|way| way.provider.clone());
    let remembered = asked
        .remembered
        .and_then(|remembered| ways.iter().position(|way| way.provider.as_str() == remembered));
    if let Some(at) = remembered {
        let way = ways.remove(at);
        ways.insert(0, way);
    }
    Choice {
        named,
        ways,
        is_remembered: remembered.is_some(),
        is_for_pupils: wanted(&Population::PupilFirst) || wanted(&Population::PupilSecond),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(id: &str, populations: &[Population]) -> Way {
        Way {
            provider: id.parse().unwrap(),
            name: id.to_owned(),
            populations: populations.to_vec(),
        }
    }

    fn open() -> Vec<Way> {
        vec![
            way("educonnect", &[Population::PupilSecond, Population::Guardian]),
            way("agents", &[Population::Staff]),
        ]
    }

    #[test]
    fn a_service_for_some_is_offered_what_they_have() {
        let everybody = choose(open(), Asked::default());
        assert_eq!(everybody.ways.len(), 2);
        let asked = Asked {
            populations: &[Population::Staff, Population::PupilFirst],
            hint: Some("educonnect"),
            remembered: Some("educonnect"),
        };
        let staff = choose(open(), asked);
        assert_eq!(staff.ways, [way("agents", &[Population::Staff])]);
        assert!(staff.is_for_pupils && everybody.is_for_pupils);
        let adults = Asked {
            populations: &[Population::Staff, Population::Guardian],
            ..Asked::default()
        };
        assert!(!choose(open(), adults).is_for_pupils);
        assert_eq!(
            (staff.named, staff.is_remembered),
            (None, false),
            "not for them: not by a hint, not from memory"
        );
    }

    #[test]
    fn a_hint_chooses_and_memory_comes_first() {
        let hint = Asked {
            hint: Some("agents"),
            ..Asked::default()
        };
        assert_eq!(choose(open(), hint).named.unwrap().as_str(), "agents");
        let remembered = Asked {
            remembered: Some("agents"),
            ..Asked::default()
        };
        let choice = choose(open(), remembered);
        assert_eq!(choice.ways.first().unwrap().provider.as_str(), "agents");
        assert!(choice.is_remembered && choice.named.is_none());
        for unknown in ["", "AGENTS", "nobody"] {
            let asked = Asked {
                hint: Some(unknown),
                remembered: Some(unknown),
                ..Asked::default()
            };
            let choice = choose(open(), asked);
            assert!(choice.named.is_none() && !choice.is_remembered);
        }
    }
}
