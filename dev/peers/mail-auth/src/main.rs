//! mail-auth's verdicts over many messages, for `dev/peers/dkim`. Reads lines of JSON `{"message": base64, "now": seconds,
//! "dns": {name: [txt, ...]}}`, writes for each a line with a JSON list of verdicts. It asks nobody: what the line does not
//! hold does not exist. mail-auth takes the time from the clock.

mod world;

use std::collections::HashMap;
use std::error::Error;
use std::io::BufRead;

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_auth::dns::Parameters;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

use world::World;

#[derive(serde::Deserialize)]
struct Line {
    message: String,
    dns: HashMap<String, Vec<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let authenticator = runtime.block_on(async { MessageAuthenticator::new_quad9() })?;
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let octets = STANDARD.decode(&line.message)?;
        let world = World::of(line.dns.iter().map(|(name, texts)| (name.as_str(), texts.concat())));
        let verdicts = runtime.block_on(verdicts(&authenticator, &octets, &world));
        println!("{}", serde_json::to_string(&verdicts)?);
    }
    Ok(())
}

async fn verdicts(authenticator: &MessageAuthenticator, octets: &[u8], world: &World) -> Vec<String> {
    let Some(message) = AuthenticatedMessage::parse(octets) else { return Vec::new() };
    let outputs = authenticator.verify_dkim(Parameters::new(&message).with_cache(world)).await;
    outputs.iter().map(|output| word(output.result())).collect()
}

fn word(result: &DkimResult) -> String {
    match result {
        DkimResult::Pass => "pass".to_owned(),
        DkimResult::None => "none".to_owned(),
        DkimResult::Neutral(why) => format!("neutral {why}"),
        DkimResult::Fail(why) => format!("fail {why}"),
        DkimResult::PermError(why) => format!("permerror {why}"),
        DkimResult::TempError(why) => format!("temperror {why}"),
    }
}
