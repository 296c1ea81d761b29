//! A decision in words.

use crate::space::methods::KnownMethod;
use weightsmith_ledger::{Named, Value};

/// Describes the decision with these values and so many steps in a few words; see [`Decision::values`].
///
/// [`Decision::values`]: super::decision::Decision::values
pub(crate) fn in_words(recipe: &Named, n_steps: usize) -> String {
    let text = |name: &str| match recipe.get(name) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(number)) => format!("{}", (*number * 1e4).round() / 1e4),
        None => String::new(),
    };
    if let Some(method) = KnownMethod::find(&text("method")) {
        return method.about().to_string();
    }
    if text("optimiser") == "none" {
        return "generate the weights, train nothing".to_string();
    }
    let network = match (text("start").as_str(), text("layers").as_str()) {
        ("generated", _) => "the generated weights of one view".to_string(),
        (_, "0") => "a linear model".to_string(),
        (_, "1") => format!("{} {} units", text("units"), text("activation")),
        _ => format!("two layers of {} {} units", text("units"), text("activation")),
    };
    let steps = match n_steps {
        1 => "1 step".to_string(),
        n => format!("{n} steps"),
    };
    let rate = match text("learning_rate") {
        none if none.is_empty() => String::new(),
        rate => format!(", learning rate {rate}"),
    };
    format!("{}, {steps} from {network}{rate}, weight decay {}", text("optimiser"), text("weight_decay"))
}
