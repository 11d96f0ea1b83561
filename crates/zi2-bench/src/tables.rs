//! What is measured, and how it is shown.

use std::path::Path;
use std::time::Duration;

use zi2_milter::client::Endpoint;

use crate::load::{Load, Seen, edited, run};
use crate::mail::message;
use crate::peers::{Peer, record};
use crate::{Trouble, dns};

/// Rounds of a comparison; the best of each is shown, since disturbance only makes slower.
const ROUNDS: usize = 4;

/// Time of one measurement.
const TIME: Duration = Duration::from_secs(3);

/// Connections of the comparison, as the issue of this project asks.
const CONNECTIONS: usize = 20;

/// Certified messages for the verifying side, each with a nonce of its own.
const CERTIFIED: usize = 4000;

/// Everything.
pub(crate) fn all(programs: &Path) -> Result<(), Trouble> {
    let resolver = dns::serve(record()?)?;
    let zi2 = Peer::zi2(programs, resolver, "off")?;
    let whole = Peer::zi2(programs, resolver, "mark")?;
    println!("{}\n", machine());
    throughput(programs, &zi2, &whole)?;
    half_load(&zi2)?;
    linear(&zi2)?;
    memory(&zi2)
}

/// What is compared.
struct Contender<'a> {
    name: &'static str,
    peer: &'a Peer,
    endpoint: Endpoint,
    messages: &'a [Vec<u8>],
    edits: usize,
}

fn throughput(programs: &Path, zi2: &Peer, whole: &Peer) -> Result<(), Trouble> {
    let plain = [message(10, 10 * 1024, 0)];
    let many: Vec<_> = (0..CERTIFIED).map(|number| message(10, 10 * 1024, number)).collect();
    let certified = edited(&zi2.endpoint("egress.sock"), &many)?;
    let (opendkim, null) = (Peer::opendkim()?, Peer::null(programs)?);
    let mut contenders = vec![
        Contender {
            name: "null milter (zi2-milter crate)",
            peer: &null,
            endpoint: null.endpoint("socket"),
            messages: &plain,
            edits: 1,
        },
        Contender {
            name: "zi2-milter, certify",
            peer: zi2,
            endpoint: zi2.endpoint("egress.sock"),
            messages: &plain,
            edits: 1,
        },
        Contender {
            name: "zi2-milter, verify ZI2",
            peer: zi2,
            endpoint: zi2.endpoint("ingress.sock"),
            messages: &certified,
            edits: 2,
        },
        Contender {
            name: "zi2-milter, verify ZI2, SPF, DMARC",
            peer: whole,
            endpoint: whole.endpoint("ingress.sock"),
            messages: &certified,
            edits: 3,
        },
        Contender {
            name: "zi2-milter, no certificate",
            peer: zi2,
            endpoint: zi2.endpoint("ingress.sock"),
            messages: &plain,
            edits: 2,
        },
    ];
    if let Some(opendkim) = &opendkim {
        let endpoint = opendkim.endpoint("socket");
        contenders.push(Contender {
            name: "OpenDKIM, sign ed25519-sha256",
            peer: opendkim,
            endpoint,
            messages: &plain,
            edits: 1,
        });
    }
    println!("### Messages a second: 10 KiB, {CONNECTIONS} connections, driver on the same processors\n");
    println!("| milter | messages/s | times OpenDKIM | processor µs a message | p50 ms | p99 ms |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let mut best: Vec<Option<(Seen, f64)>> = contenders.iter().map(|_| None).collect();
    for _ in 0..ROUNDS {
        for (contender, best) in contenders.iter().zip(&mut best) {
            let measured = measure(contender)?;
            if best.as_ref().is_none_or(|(seen, _)| seen.rate() < measured.0.rate()) {
                *best = Some(measured);
            }
        }
    }
    let peer = opendkim.as_ref().and_then(|_| best.last()).and_then(|best| best.as_ref()).map(|(seen, _)| seen.rate());
    for (contender, best) in contenders.iter().zip(&best) {
        let Some((seen, micros)) = best else { continue };
        let times = peer.map_or("not installed".to_owned(), |peer| format!("{:.1}", seen.rate() / peer));
        let (p50, p99) = (seen.wait(500), seen.wait(990));
        println!("| {} | {:.0} | {times} | {micros:.1} | {p50:.2} | {p99:.2} |", contender.name, seen.rate());
    }
    println!();
    Ok(())
}

/// One measurement, with the processor time the milter took of it.
fn measure(contender: &Contender<'_>) -> Result<(Seen, f64), Trouble> {
    let before = contender.peer.cpu()?;
    let seen = run(Load {
        endpoint: &contender.endpoint,
        connections: CONNECTIONS,
        time: TIME,
        rate: None,
        messages: contender.messages,
        edits: contender.edits,
    })?;
    let micros = (contender.peer.cpu()? - before) * 1e6 / crate::load::number(seen.messages);
    Ok((seen, micros))
}

fn half_load(zi2: &Peer) -> Result<(), Trouble> {
    let plain = [message(10, 10 * 1024, 0)];
    let endpoint = zi2.endpoint("egress.sock");
    let load =
        Load { endpoint: &endpoint, connections: CONNECTIONS, time: TIME, rate: None, messages: &plain, edits: 1 };
    let full = run(load)?.rate();
    println!("### Wait at the end of a message, certifying 10 KiB at a steady rate\n");
    println!("| rate | messages/s | p50 ms | p99 ms | p99.9 ms |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for share in [0.1, 0.25, 0.5] {
        let rate = Some(full * share);
        let seen = (0..ROUNDS).map(|_| run(Load { rate, time: TIME, ..load })).collect::<Result<Vec<_>, _>>()?;
        let seen = seen.into_iter().min_by(|a, b| a.wait(990).total_cmp(&b.wait(990))).ok_or("no round")?;
        let [p50, p99, p999] = [500, 990, 999].map(|count| seen.wait(count));
        println!("| {:.0} % of full load | {:.0} | {p50:.2} | {p99:.2} | {p999:.2} |", share * 100.0, seen.rate());
    }
    println!();
    Ok(())
}

fn linear(zi2: &Peer) -> Result<(), Trouble> {
    println!("### Cost of certifying as messages grow (one connection; processor time of zi2-milter)\n");
    println!("| fields | body | µs a message | ns a field more | ns an octet more |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    let base = cost(zi2, 10, 1024, 1)?;
    for (fields, body) in [(10, 1024), (100, 1024), (300, 1024), (900, 1024)] {
        let micros = if fields == 10 { base } else { cost(zi2, fields, body, 1)? };
        let more = crate::load::number(fields - 10);
        let each = if fields == 10 { "-".to_owned() } else { format!("{:.0}", (micros - base) * 1000.0 / more) };
        println!("| {fields} | 1 KiB | {micros:.1} | {each} | - |");
    }
    for (name, body) in [("10 KiB", 10), ("100 KiB", 100), ("1 MiB", 1024), ("10 MiB", 10 * 1024)] {
        let micros = cost(zi2, 10, body * 1024, 1)?;
        let each = (micros - base) * 1000.0 / crate::load::number(body * 1024 - 1024);
        println!("| 10 | {name} | {micros:.1} | - | {each:.2} |");
    }
    println!("\n### Messages a second as connections grow (certifying 10 KiB)\n");
    println!("| connections | messages/s | processor µs a message | p99 ms |");
    println!("| ---: | ---: | ---: | ---: |");
    let (plain, endpoint) = ([message(10, 10 * 1024, 0)], zi2.endpoint("egress.sock"));
    for connections in [1, 2, 5, 20, 100, 500] {
        let before = zi2.cpu()?;
        let seen = run(Load { endpoint: &endpoint, connections, time: TIME, rate: None, messages: &plain, edits: 1 })?;
        let micros = (zi2.cpu()? - before) * 1e6 / crate::load::number(seen.messages);
        println!("| {connections} | {:.0} | {micros:.1} | {:.2} |", seen.rate(), seen.wait(990));
    }
    println!();
    Ok(())
}

fn cost(zi2: &Peer, fields: usize, body: usize, connections: usize) -> Result<f64, Trouble> {
    let (messages, endpoint) = ([message(fields, body, 0)], zi2.endpoint("egress.sock"));
    let before = zi2.cpu()?;
    let seen = run(Load { endpoint: &endpoint, connections, time: TIME, rate: None, messages: &messages, edits: 1 })?;
    Ok((zi2.cpu()? - before) * 1e6 / crate::load::number(seen.messages))
}

fn memory(zi2: &Peer) -> Result<(), Trouble> {
    println!("### Memory of zi2-milter\n");
    println!("| state | resident KiB |");
    println!("| --- | ---: |");
    println!("| after all of the above | {} |", zi2.memory("VmRSS")?);
    let (small, large) = ([message(10, 1024 * 1024, 0)], [message(10, 100 * 1024 * 1024, 0)]);
    let endpoint = zi2.endpoint("egress.sock");
    edited(&endpoint, &small)?;
    let before = zi2.memory("VmHWM")?;
    edited(&endpoint, &large)?;
    println!("| highest, before a message of 100 MiB | {before} |");
    println!("| highest, after it | {} |", zi2.memory("VmHWM")?);
    let before = zi2.memory("VmRSS")?;
    let idle = (0..500).map(|_| std::os::unix::net::UnixStream::connect(path(&endpoint)?).map_err(Trouble::from));
    let idle = idle.collect::<Result<Vec<_>, _>>()?;
    std::thread::sleep(Duration::from_millis(500)); // until they are accepted; a figure, not a verdict, depends on it
    println!("| with 500 silent connections more | {} |", zi2.memory("VmRSS")?);
    println!(
        "| that is, each | {:.1} |",
        crate::load::number(usize::try_from(zi2.memory("VmRSS")?.saturating_sub(before))?) / 500.0
    );
    drop(idle);
    Ok(())
}

fn path(endpoint: &Endpoint) -> Result<&Path, Trouble> {
    match endpoint {
        Endpoint::Unix(path) => Ok(path),
        Endpoint::Tcp(_) => Err("not a Unix socket".into()),
    }
}

/// The machine, for whoever compares.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} · {cores} processors · Linux {}", model.trim_start_matches(['\t', ':', ' ']), kernel.trim())
}
