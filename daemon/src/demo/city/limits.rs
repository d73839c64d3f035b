//! Limits of the permits in the city.

/// A limit: factor, upper bound of the hour mean, of the day mean.
pub(in crate::demo) type Limit = (&'static str, Option<&'static str>, Option<&'static str>);

/// A coal-fired power plant.
pub(super) const COAL: &[Limit] = &[
    ("a34013", Some("10"), None),
    ("a21026", Some("35"), None),
    ("a21002", Some("50"), None),
];
/// A coal-fired heating plant.
pub(super) const HEAT: &[Limit] = &[
    ("a34013", Some("30"), None),
    ("a21026", Some("200"), None),
    ("a21002", Some("200"), None),
];
/// A waste incinerator.
pub(super) const WASTE: &[Limit] = &[
    ("a34013", Some("30"), Some("20")),
    ("a21026", Some("100"), Some("80")),
    ("a21002", Some("300"), Some("250")),
    ("a21005", Some("100"), Some("80")),
    ("a21024", Some("60"), Some("50")),
];
/// A cement kiln.
pub(super) const CEMENT: &[Limit] = &[
    ("a34013", Some("20"), None),
    ("a21026", Some("100"), None),
    ("a21002", Some("320"), None),
];
/// A glass furnace.
pub(super) const GLASS: &[Limit] = &[
    ("a34013", Some("30"), None),
    ("a21026", Some("200"), None),
    ("a21002", Some("400"), None),
];
/// A municipal waste water works.
pub(super) const TOWN_WATER: &[Limit] = &[
    ("w01018", None, Some("50")),
    ("w21003", None, Some("5")),
    ("w21011", None, Some("0.5")),
    ("w21001", None, Some("15")),
    ("w01001", None, Some("[6, 9]")),
];
/// A paper or textile mill.
pub(super) const MILL_WATER: &[Limit] = &[
    ("w01018", None, Some("80")),
    ("w21003", None, Some("8")),
    ("w21011", None, Some("0.8")),
    ("w21001", None, Some("15")),
    ("w01001", None, Some("[6, 9]")),
];
