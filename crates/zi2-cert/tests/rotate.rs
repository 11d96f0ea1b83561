//! `rotate`: a whole rotation by the command, in a world of data.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod said;
mod ward;

use serde_json::{Value, json};
use zi2_cert::Exit;
use zi2_mail::Timestamp;

use said::Said;
use ward::Ward;

const APRIL: &str = "zi2-cert-2026-04";
const MAY: &str = "zi2-cert-2026-05";
const DAY: u64 = 86_400;

/// A host whose key of April signs, on 28 April 2026, with two name servers.
fn ward() -> Ward {
    let mut ward = Ward::new();
    let made = ward.path(&ward.key());
    for ending in ["key", "pub"] {
        let name = made.with_extension(ending);
        std::fs::rename(name, ward.path(&format!("keys/{APRIL}.{ending}"))).unwrap();
    }
    ward.host.now = Timestamp::from_secs(said::NOW);
    ward.world = json!({"now": said::NOW, "dns": {
        "example.com": {"ns": ["ns1.example.net", "ns2.example.net"]},
        "ns1.example.net": {"a": ["192.0.2.1"]},
        "ns2.example.net": {"a": ["192.0.2.2"], "aaaa": ["2001:db8::2"]},
    }});
    queue(&ward, "");
    ward
}

fn queue(ward: &Ward, lines: &str) {
    std::fs::write(ward.path("queue"), lines).unwrap();
    let path = ward.path("usr/sbin/postqueue");
    std::fs::write(&path, "#!/bin/sh\ntest \"$1\" = -j && cat \"${0%usr/sbin/postqueue}queue\"\n").unwrap();
    ward.chmod("usr/sbin/postqueue", 0o755);
}

fn rotate(ward: &Ward, arguments: &[&str]) -> Said {
    ward.write();
    let world = ward.path("world.json");
    let all = [&["rotate"], arguments, &["--world", world.to_str().unwrap()]].concat();
    ward.run(&all)
}

fn publish(ward: &mut Ward, said: &Said) {
    for record in said.json()["records"].as_array().unwrap().clone() {
        ward.publish(record["name"].as_str().unwrap(), &[record["value"].as_str().unwrap()]);
    }
}

fn stages(said: &Said) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    said.json()["keys"].as_array().unwrap().iter().map(|key| (text(&key["kid"]), text(&key["stage"]))).collect()
}

fn are(keys: &[(&str, &str)]) -> Vec<(String, String)> {
    keys.iter().map(|(kid, stage)| ((*kid).to_owned(), (*stage).to_owned())).collect()
}

fn later(ward: &mut Ward, secs: u64) {
    ward.host.now = ward.host.now.add_secs(secs);
}

#[test]
fn a_whole_rotation_by_hand() {
    let mut ward = ward();
    let plan = rotate(&ward, &["plan"]);
    assert_eq!((plan.exit, plan.out.as_str()), (Exit::Ok, format!("stage     {MAY}  now\n").as_str()), "{}", plan.err);
    assert!(!ward.path("keys/rotation").exists(), "looking writes nothing");

    assert_eq!(stages(&rotate(&ward, &["stage", "--json"])), are(&[(APRIL, "active"), (MAY, "next")]));
    let early = rotate(&ward, &["prove"]);
    assert_eq!(early.exit, Exit::Negative);
    assert!(early.err.contains("is next, and this step is for a key that is published"), "{}", early.err);

    let published = rotate(&ward, &["publish", "--json"]);
    assert_eq!(published.exit, Exit::Ok, "{}", published.err);
    let missing = rotate(&ward, &["prove", "--json"]);
    assert_eq!(missing.exit, Exit::Negative);
    assert_eq!(missing.json()["missing"].as_array().unwrap().len(), 4, "two servers, two names: {}", missing.out);
    publish(&mut ward, &published);
    let settling = rotate(&ward, &["prove"]);
    assert_eq!(settling.exit, Exit::Negative);
    assert!(settling.out.contains("every server has zi2-cert-2026-05; caches will by"), "{}", settling.out);
    later(&mut ward, 3 * 3600);
    assert_eq!(rotate(&ward, &["prove"]).exit, Exit::Ok);
    let activated = rotate(&ward, &["activate", "--json"]);
    assert_eq!(activated.json()["active"], MAY);
    assert_eq!(stages(&activated), are(&[(APRIL, "retiring"), (MAY, "active")]));

    later(&mut ward, 6 * DAY);
    let early = rotate(&ward, &["retire"]);
    assert_eq!(early.exit, Exit::Negative);
    assert!(early.err.contains("and mail it signed may be judged until 2026-05-04"), "{}", early.err);
    later(&mut ward, 3600);
    queue(&ward, &format!("{{\"arrival_time\": {}}}\n", said::NOW));
    assert!(rotate(&ward, &["retire"]).err.contains("the queue holds a message that came on 2026-04-28"));
    std::fs::remove_file(ward.path("usr/sbin/postqueue")).unwrap();
    assert_eq!(rotate(&ward, &["retire"]).exit, Exit::TempFail, "a queue that cannot be asked keeps the key");
    let retired = rotate(&ward, &["retire", "--without-queue", "--format", "nsupdate"]);
    assert_eq!(retired.exit, Exit::Ok, "{}", retired.err);
    let lines: Vec<&str> = retired.out.lines().filter(|line| line.starts_with("update")).collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("update delete _zi2cert.example.com. TXT \"v=ZI2CERT1"),
        "{lines:?}"
    );
    assert!(lines[0].contains(&format!("kid={APRIL}")) && !retired.out.contains(MAY), "{lines:?}");
    let status = rotate(&ward, &["status"]);
    assert!(status.out.starts_with(&format!("{APRIL}  retired  ")), "{}", status.out);
    let shown = ward.run(&["dns", "show", "--format", "json"]);
    assert!(!shown.out.contains(APRIL), "a retired key is not to be published: {}", shown.out);
}

#[test]
fn a_timer_takes_the_steps_as_they_come() {
    let mut ward = ward();
    let auto = |ward: &Ward| rotate(ward, &["--auto", "--json"]);
    assert_eq!(auto(&ward).json()["result"], "staged");
    let published = auto(&ward);
    assert_eq!(published.json()["result"], "published");
    let waiting = auto(&ward);
    assert_eq!((waiting.exit, waiting.json()["result"].clone()), (Exit::Ok, json!("missing")), "{}", waiting.err);
    publish(&mut ward, &published);
    assert_eq!(auto(&ward).json()["result"], "settling");
    later(&mut ward, 3 * 3600);
    assert_eq!(auto(&ward).json()["result"], "proven");
    assert_eq!(auto(&ward).out, "", "May has not come");
    ward.host.now = Timestamp::of_month(2026, 5).unwrap();
    assert_eq!(auto(&ward).json()["active"], MAY);
    later(&mut ward, 7 * DAY);
    assert_eq!(stages(&auto(&ward)), are(&[(APRIL, "retired"), (MAY, "active")]));
    let signer = ward.run(&["rotate", "status", "--json"]);
    assert_eq!(
        signer.json()["plan"],
        json!([{"at": 1_779_667_200, "due": false, "kid": "zi2-cert-2026-06", "step": "stage"}])
    );
}

#[test]
fn a_lost_record_stops_the_change() {
    let mut ward = ward();
    for step in ["stage", "publish"] {
        rotate(&ward, &[step]);
    }
    let published = rotate(&ward, &["publish", "--json"]);
    publish(&mut ward, &published);
    rotate(&ward, &["prove"]);
    later(&mut ward, 3 * 3600);
    rotate(&ward, &["prove"]);
    ward.world["dns"].as_object_mut().unwrap().remove(&format!("_zi2cert.{MAY}.example.com"));
    let lost = rotate(&ward, &["activate", "--json"]);
    assert_eq!((lost.exit, lost.json()["active"].clone()), (Exit::Negative, json!(APRIL)));
    assert_eq!(stages(&lost), are(&[(APRIL, "active"), (MAY, "published")]));
}

#[test]
fn a_revocation_is_for_good() {
    let ward = ward();
    rotate(&ward, &["stage"]);
    let revoked = rotate(&ward, &["revoke", APRIL, "--format", "nsupdate"]);
    assert_eq!(revoked.exit, Exit::Ok);
    let count = |start: &str| revoked.out.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((count("update delete"), count("update add")), (2, 2), "{}", revoked.out);
    assert!(revoked.out.contains(&format!("p=; kid={APRIL}")), "{}", revoked.out);
    assert!(revoked.err.contains("nothing is certified until one is"), "{}", revoked.err);
    assert_eq!(rotate(&ward, &["status"]).exit, Exit::Negative);
    assert_eq!(rotate(&ward, &["revoke", "zi2-cert-2020-01"]).exit, Exit::Negative);
}

#[test]
fn a_step_or_the_timer() {
    let ward = ward();
    assert_eq!(rotate(&ward, &[]).exit, Exit::Usage);
    assert_eq!(rotate(&ward, &["--auto", "plan"]).exit, Exit::Usage);
}

#[test]
fn doctor_knows_the_rotation() {
    let mut ward = ward();
    let world = |ward: &Ward| {
        ward.write();
        let world = ward.path("world.json").display().to_string();
        let said = ward.run(&["doctor", "--json", "--world", &world]).json();
        let found =
            said["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "keys.current").unwrap();
        (found["status"].as_str().unwrap().to_owned(), found["seen"].as_str().unwrap().to_owned())
    };
    rotate(&ward, &["stage"]);
    let (state, seen) = world(&ward);
    assert!(state == "ok" && seen.starts_with(&format!("{APRIL} is used; publish of {MAY} from")), "{state}: {seen}");
    later(&mut ward, 3 * DAY);
    assert_eq!(world(&ward).0, "warning", "nobody publishes it");
    rotate(&ward, &["revoke", APRIL]);
    assert_eq!(world(&ward), ("problem".to_owned(), "no key is active: nothing is certified".to_owned()));
}
