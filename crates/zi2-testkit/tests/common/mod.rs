//! What a verdict must look like, whoever gives it.

use serde_json::Value;
use zi2_testkit::{Author, Case, Expect, Step};

/// Every step, with a name for messages.
pub(crate) fn steps(cases: &[Case]) -> impl Iterator<Item = (&Case, &Step, String)> {
    cases.iter().flat_map(|case| {
        let named = |(at, step): (usize, &Step)| format!("{} step {}, {}", case.id, at + 1, step.message);
        case.steps.iter().enumerate().map(move |(at, step)| (case, step, named((at, step))))
    })
}

/// Compares a report (`--json`) with what is expected of it.
pub(crate) fn differences(report: &Value, expect: &Expect) -> Vec<String> {
    let zi2 = &report["zi2"];
    let mut wanted = vec![
        ("result", &zi2["result"], serde_json::json!(expect.result)),
        ("reason", &zi2["reason"], serde_json::json!(expect.reason)),
        ("level", &zi2["level"], serde_json::json!(expect.level)),
        ("spoof", &report["spoof"], serde_json::json!(expect.spoof)),
    ];
    match &expect.d {
        Author::Any => {}
        Author::Nobody => wanted.push(("d", &zi2["d"], serde_json::Value::Null)),
        Author::Domain(domain) => wanted.push(("d", &zi2["d"], serde_json::json!(domain))),
    }
    let optional = [
        ("history", expect.history.clone().map(serde_json::Value::from)),
        ("sid_confirmed", expect.sid_confirmed.map(serde_json::Value::from)),
        ("duplicate", expect.duplicate.map(serde_json::Value::from)),
    ];
    wanted.extend(optional.into_iter().filter_map(|(name, value)| Some((name, &zi2[name], value?))));
    let differs = wanted.into_iter().filter(|(_, got, wanted)| *got != wanted);
    let mut found: Vec<String> = differs.map(|(name, got, wanted)| format!("{name} is {got}, not {wanted}")).collect();
    let covers = zi2["covers"].as_array().cloned().unwrap_or_default();
    found.extend(expect.not_covered.iter().filter(|field| covers.contains(&serde_json::json!(field))).cloned());
    match report["metrics"]["dns_queries"].as_u64() {
        Some(queries) if queries <= u64::from(expect.dns_queries) => {}
        queries => found.push(format!("{queries:?} questions, at most {}", expect.dns_queries)),
    }
    found.extend(chain_differences(report, expect));
    found.extend(present(&report.to_string(), expect));
    found
}

/// What is said of the existing chain: of objects the named keys, of lists every item.
fn chain_differences(report: &Value, expect: &Expect) -> Option<String> {
    let wanted = &expect.chain;
    (!wanted.is_null() && !holds(report, wanted)).then(|| {
        let methods = wanted.as_object().into_iter().flat_map(|methods| methods.keys());
        let got: Vec<_> = methods.map(|method| format!("{method}: {}", report[method])).collect();
        format!("{}, not {wanted}", got.join(", "))
    })
}

fn holds(got: &Value, wanted: &Value) -> bool {
    match (got, wanted) {
        (Value::Object(got), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| holds(got.get(key).unwrap_or(&Value::Null), wanted))
        }
        (Value::Array(got), Value::Array(wanted)) => {
            got.len() == wanted.len() && got.iter().zip(wanted).all(|(got, wanted)| holds(got, wanted))
        }
        _ => got == wanted,
    }
}

/// Texts that must not appear, and do.
pub(crate) fn present(text: &str, expect: &Expect) -> Vec<String> {
    expect
        .absent
        .iter()
        .filter(|absent| text.contains(absent.as_str()))
        .map(|absent| format!("{absent:?} appears"))
        .collect()
}
