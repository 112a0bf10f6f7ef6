//! Parameter groups: other rules for some of the tensors.

use crate::config::require;
use crate::{Error, InvalidConfig};
use glob::Pattern;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rules for the trainable tensors whose names match a pattern. Of several groups that match, the last decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// A shell pattern over names such as `conv1.weight`: `*` for any characters, `?` for one, `[12]` for some.
    pub tensors: String,
    /// What the learning rate is multiplied by. At 0 the tensors stay as they are, and the optimiser remembers
    /// nothing of them; running statistics go on.
    #[serde(default = "one")]
    pub learning_rate_scale: f64,
    /// In place of the optimiser's weight decay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

fn one() -> f64 {
    1.0
}

impl Group {
    /// A group that changes nothing yet.
    pub fn new(tensors: impl Into<String>) -> Self {
        Self { tensors: tensors.into(), learning_rate_scale: 1.0, weight_decay: None }
    }

    fn pattern(&self) -> Result<Pattern, InvalidConfig> {
        Pattern::new(&self.tensors).map_err(|_| InvalidConfig::Value {
            name: "groups.tensors".to_owned(),
            found: self.tensors.clone(),
            expected: "a pattern of names, *, ? and [...]",
        })
    }

    pub(crate) fn check(&self, has_weight_decay: bool) -> Result<(), InvalidConfig> {
        self.pattern()?;
        let name = |key: &str| format!("groups.{key} of {}", self.tensors);
        let not_negative =
            |key, value: f64| require(value.is_finite() && value >= 0.0, name(key), &value, "0 or more");
        not_negative("learning-rate-scale", self.learning_rate_scale)?;
        let Some(decay) = self.weight_decay else { return Ok(()) };
        not_negative("weight-decay", decay)?;
        let expected = "left out with the optimiser adam, which has none (adamw has)";
        require(has_weight_decay, name("weight-decay"), &decay, expected)
    }
}

/// The group of each tensor that is in one.
pub(crate) fn assign(groups: &[Group], names: &[String]) -> Result<BTreeMap<String, Group>, Error> {
    let mut assigned = BTreeMap::new();
    for group in groups {
        let pattern = group.pattern()?;
        let mut matched = names.iter().filter(|name| pattern.matches(name)).peekable();
        if matched.peek().is_none() {
            return Err(Error::Group { pattern: group.tensors.clone(), tensors: names.to_vec() });
        }
        assigned.extend(matched.map(|name| (name.clone(), group.clone())));
    }
    Ok(assigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_group_decides_and_one_of_nothing_lists_the_tensors() {
        let names = ["conv1.weight", "batch_norm1.weight", "batch_norm1.bias"].map(str::to_owned);
        let all = Group { weight_decay: Some(0.1), ..Group::new("*") };
        let biases = Group { learning_rate_scale: 64.0, ..Group::new("batch_norm?.bias") };
        let assigned = assign(&[all.clone(), biases.clone()], &names).expect("both match");
        assert_eq!(assigned["conv1.weight"], all);
        assert_eq!(assigned["batch_norm1.bias"], biases);
        let error = assign(&[all, Group::new("dense*")], &names).expect_err("no dense layer").to_string();
        assert_eq!(
            error,
            "the group dense* matches no trainable tensor; there are conv1.weight, batch_norm1.weight, batch_norm1.bias"
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        let error = |group: Group| group.check(false).expect_err("invalid").to_string();
        assert!(error(Group::new("[")).starts_with("groups.tensors is ["));
        assert!(
            error(Group { learning_rate_scale: -1.0, ..Group::new("conv*") })
                .starts_with("groups.learning-rate-scale of conv* is -1")
        );
        assert!(error(Group { weight_decay: Some(0.0), ..Group::new("*") }).contains("adamw"));
    }
}
