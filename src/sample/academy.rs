//! The thirty academies and their codes.

const ACADEMIES: &[(u8, &str)] = &[
    (1, "Paris"),
    (2, "Aix-Marseille"),
    (3, "Besançon"),
    (4, "Bordeaux"),
    (6, "Clermont-Ferrand"),
    (7, "Dijon"),
    (8, "Grenoble"),
    (9, "Lille"),
    (10, "Lyon"),
    (11, "Montpellier"),
    (12, "Nancy-Metz"),
    (13, "Poitiers"),
    (14, "Rennes"),
    (15, "Strasbourg"),
    (16, "Toulouse"),
    (17, "Nantes"),
    (18, "Orléans-Tours"),
    (19, "Reims"),
    (20, "Amiens"),
    (22, "Limoges"),
    (23, "Nice"),
    (24, "Créteil"),
    (25, "Versailles"),
    (27, "Corse"),
    (28, "La Réunion"),
    (31, "Martinique"),
    (32, "Guadeloupe"),
    (33, "Guyane"),
    (43, "Mayotte"),
    (70, "Normandie"),
];

/// The name of an academy; a stand-in for a code that none has.
pub(super) fn academy_name(code: u8) -> &'static str {
    ACADEMIES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("Académie inventée", |(_, name)| name)
}
