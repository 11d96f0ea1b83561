//! TC-072, TC-076 to TC-084, TC-110: what the milter takes away, adds, and certifies.

use serde_json::{Value, json};

use super::sketch::{CHAIN, EVIL, Sketch, b0, honest, pass};
use crate::{After, Client, Decision, KID, Mail, MilterStep, Reply, Role, public};

pub(super) fn sketches() -> Vec<Sketch> {
    let mut all = vec![certified_before(), odd_sender()];
    all.extend(forged_results());
    all.extend(tenants());
    all
}

const CERTIFIED: &str = "X-ZI2-Certified";

/// Mail of alice@recv.example that is certified and goes out.
pub(super) fn sent(message: &str, mail: &Mail, rcpt: &[&str]) -> MilterStep {
    let mut fields = vec![ours(CERTIFIED, &["v=1", "d=recv.example", "b="], &[])];
    fields.extend(kept(mail));
    MilterStep { fields, ..egress(message, "alice@recv.example", rcpt) }.decides(Decision::Certify)
}

/// Mail that comes in and keeps its fields; two of ours are put on top.
pub(super) fn ingress(message: &str, mail: &Mail, rcpt: &[&str]) -> MilterStep {
    let mut step = egress(message, "ann@good.example", rcpt);
    step.role = Role::Ingress;
    step.client = Client::Network([192, 0, 2, 10].into());
    step.fields = kept(mail);
    step
}

fn egress(message: &str, login: &str, rcpt: &[&str]) -> MilterStep {
    MilterStep {
        message: message.to_owned(),
        what: None,
        role: Role::Egress,
        client: Client::Login(login.to_owned()),
        mail_from: login.to_owned(),
        rcpt: rcpt.iter().map(|to| (*to).to_owned()).collect(),
        world: Value::Null,
        decision: None,
        reason: None,
        reply: Reply::Accept,
        fields: Vec::new(),
    }
}

fn kept(mail: &Mail) -> Vec<After> {
    mail.fields().into_iter().map(After::Kept).collect()
}

fn ours(name: &str, holds: &[&str], lacks: &[&str]) -> After {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    After::Ours { ours: name.to_owned(), holds: texts(holds), lacks: texts(lacks) }
}

impl MilterStep {
    pub(super) fn what(mut self, what: &str) -> MilterStep {
        self.what = Some(what.to_owned());
        self
    }

    /// Our two result fields on top. zi2.md §10 says where they stand, not which is first, so the kit writes
    /// X-ZI2-Verified above; whoever compares puts them in this order.
    pub(super) fn verified(mut self, holds: &[&str], lacks: &[&str]) -> MilterStep {
        let word = |word: &&&str| word.starts_with("result=");
        let result = match holds.iter().find(word).copied() {
            Some("result=pass") => "x-zi2=pass",
            Some("result=missing") => "x-zi2=none",
            Some("result=temperror") => "x-zi2=temperror",
            Some("result=expired") => "x-zi2=policy",
            _ => "x-zi2=fail",
        };
        let verified = [holds, &["by=mx.recv.example"]].concat();
        self.fields.insert(0, ours("Authentication-Results", &["mx.recv.example;", result], &["("]));
        self.fields.insert(0, ours("X-ZI2-Verified", &verified, lacks));
        self
    }

    fn decides(mut self, decision: Decision) -> MilterStep {
        self.decision = Some(decision);
        self
    }

    fn because(mut self, reason: &str) -> MilterStep {
        self.reason = Some(reason.to_owned());
        self
    }

    fn by_network(mut self, address: [u8; 4]) -> MilterStep {
        self.client = Client::Network(address.into());
        self
    }
}

fn own_key() -> Value {
    json!({
        "local_keys": [{"sid": "mx.recv.example", "kid": KID, "p": public("recv")}],
        "hosted": ["a.example", "b.example", "recv.example"],
    })
}

fn certified_before() -> Sketch {
    let mail = Mail::by("alice@recv.example");
    let thrice = mail
        .clone()
        .above("X-ZI2-Certified: v=1; garbage")
        .above("x-zi2-certified: v=1; d=recv.example")
        .below("X-ZI2-CERTIFIED: v=1")
        .below("X-ZI2-Verified: result=pass; level=3");
    Sketch::new(
        72,
        "S3: a certification that was there before",
        "outbound mail with three X-ZI2-Certified and an X-ZI2-Verified",
    )
    .world(own_key())
    .message("message.eml", &thrice)
    .senders("login alice@recv.example recv.example\n")
    .milter(sent("message.eml", &mail, &["ann@good.example"]))
}

/// Somebody of whom nothing is known.
fn stranger() -> Mail {
    Mail::by("x@other.example")
}

/// Each is B0 with results that somebody else wrote.
fn forged_results() -> Vec<Sketch> {
    let passes = |holds: &[&str], mail: &Mail| ingress("message.eml", mail, &["bob@recv.example"]).verified(holds, &[]);
    let pass: &[&str] = &["result=pass", "level=1", "reason=ok.dns", "d=good.example"];
    let ours_eight = |id: &str| {
        let line = format!("Authentication-Results: {id}; x-zi2=pass header.d=good.example policy.level=3");
        (0..8).fold(b0(), |mail, _| mail.above(&line))
    };
    let foreign = "Authentication-Results: mx.evil.example; x-zi2=pass";
    let other = "Authentication-Results: mx.recv.example.evil.example; x-zi2=fail";
    let mixed =
        |mail: Mail| mail.above(foreign).below(other).below("Authentication-Results: mx.recv.example; dkim=pass");
    let three = |mail: Mail| {
        mail.above("X-ZI2-Verified: result=pass; level=3")
            .above("x-zi2-verified: result=pass; level=3")
            .below("X-ZI2-VERIFIED:\r\n result=pass; level=3")
    };
    let results = |number, attack, title: &str, mail: &Mail, step: MilterStep| {
        Sketch::new(number, attack, title).message("message.eml", mail).milter(step)
    };
    let kept = b0().above(foreign).below(other);
    let down = json!({"dns": {"_zi2cert.good.example": {"status": "SERVFAIL"}}});
    let large = honest()
        .body("A line of a large mail, seventy-two octets with its end, and no more.\r\n".repeat(1500))
        .forged(&super::certified::by_good());
    vec![
        results(
            76,
            "D6: a forged feed",
            "eight Authentication-Results with our id, three others among them",
            &mixed(ours_eight("mx.recv.example")),
            passes(pass, &kept),
        ),
        results(
            77,
            "D6: a forged feed",
            "our id in other spellings",
            &mixed(ours_eight("MX.Recv.EXAMPLE"))
                .above("Authentication-Results: (x) \"mx.recv.example\" 1; x-zi2=pass")
                .above("AUTHENTICATION-RESULTS:\r\n mx.recv.example.; x-zi2=pass"),
            passes(pass, &kept),
        ),
        results(78, "L4: a result from the wire", "three X-ZI2-Verified", &three(b0()), passes(pass, &b0()))
            .message("bare.eml", &three(stranger()))
            .milter(
                ingress("bare.eml", &stranger(), &["bob@recv.example"])
                    .what("and no certification")
                    .verified(&["result=missing", "level=0", "reason=none.absent"], &[]),
            ),
        results(
            79,
            "L4: a result from the wire",
            "the same on a large mail",
            &three(large.clone()),
            passes(pass, &large),
        ),
        results(
            80,
            "L4: a result from the wire",
            "the same while DNS is down",
            &three(b0()),
            passes(&["result=temperror", "level=0", "reason=dns.servfail"], &b0()),
        )
        .world(down),
    ]
}

const MAP: &str = "login alice@a.example a.example\nnet 10.0.0.0/8 a.example\n";

fn tenants() -> Vec<Sketch> {
    let tenant = |number, title: &str, mail: &Mail| {
        Sketch::new(number, "T1: one tenant speaks for another", title)
            .world(own_key())
            .senders(MAP)
            .message("message.eml", mail)
    };
    let out = |mail: &Mail| {
        let step = MilterStep { fields: kept(mail), ..egress("message.eml", "alice@a.example", &["ann@good.example"]) };
        step.decides(Decision::Mismatch).because("tenant.login_mismatch")
    };
    let ceo = Mail::by("ceo@b.example");
    let to_local = |mail: &Mail| {
        let mut step = out(mail).what("to somebody here: marked");
        step.rcpt = vec!["bob@recv.example".to_owned()];
        step.fields.insert(0, mark("d=b.example"));
        step
    };
    let app = Mail::by("shop@b.example");
    let twice = Mail::by("alice@a.example").above("From: ceo@b.example");
    let capitals = Mail::by("Alice@A.Example");
    let mut certified = out(&capitals).decides(Decision::Certify);
    certified.reason = None;
    certified.fields.insert(0, ours(CERTIFIED, &["d=a.example", "sid=mx.recv.example"], &[]));
    vec![
        tenant(81, "login alice@a.example, From ceo@b.example, MAIL FROM alice@a.example", &ceo)
            .milter(out(&ceo))
            .milter(to_local(&ceo)),
        tenant(82, "not authenticated, from a trusted network, a domain that is not listed for it", &app)
            .milter(out(&app).by_network([10, 1, 2, 3]))
            .milter(out(&app).by_network([192, 0, 2, 1]).what("from any other network")),
        tenant(83, "login alice@a.example, two From fields", &twice)
            .milter(out(&twice).decides(Decision::Leave).because("header.duplicate")),
        tenant(84, "login alice@a.example, From Alice@A.Example", &capitals).milter(certified),
    ]
}

fn mark(domain: &str) -> After {
    ours(
        "X-ZI2-Verified",
        &["result=missing", "level=0", "reason=tenant.login_mismatch", domain, "spoof=yes"],
        &["result=pass"],
    )
}

fn odd_sender() -> Sketch {
    let mail = Mail::by("x@evil.example").signed(EVIL);
    let sent_by = |mail_from: &str| json!({"client_ip": "198.51.100.66", "mail_from": mail_from});
    let spf = json!({"spf": {"domain": null}});
    let passes_without_spf = pass("evil.example").queries(CHAIN).chain(spf).without(&["good", "a.evil"]);
    let odd = |argument: &str| {
        let mut step = ingress("message.eml", &mail, &["bob@recv.example"]);
        step.mail_from = argument.to_owned();
        step.verified(&["result=pass", "d=evil.example"], &["good", "a.evil"])
    };
    Sketch::new(110, "A5 to A7: octets of the envelope in our results", "MAIL FROM any@good.example(a.evil and its kin")
        .message("message.eml", &mail)
        .milter(odd("any@good.example(a.evil"))
        .milter(odd("any@good.example'@any.evil").what("TC-111"))
        .milter(odd("<@good,@any:'any@evil>").what("TC-112"))
        .step_in("message.eml", "SPF", sent_by("any@good.example(a.evil"), passes_without_spf)
}
