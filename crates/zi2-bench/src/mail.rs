//! Messages to measure with.

/// A message of the sender `ann@good.example` with so many fields and body octets, in CRLF form.
pub(crate) fn message(fields: usize, body: usize, number: usize) -> Vec<u8> {
    let mut octets = format!(
        "Received: from client.example (client.example [192.0.2.10])\r\n\tby mail.good.example (Postfix) with ESMTPSA id \
         4ABC123\r\n\tfor <bob@recv.example>; Wed, 25 Nov 2026 10:00:00 +0000 (UTC)\r\n\
         Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nFrom: Ann Example <ann@good.example>\r\n\
         To: Bob Example <bob@recv.example>\r\nSubject: An ordinary subject line, number {number}\r\n\
         Message-ID: <bench.{number}@good.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\nUser-Agent: Bench/1.0\r\n"
    );
    const USUAL: usize = 10;
    for n in USUAL..fields {
        octets.push_str(&format!("X-Field-{n}: some value of an ordinary length {n}\r\n"));
    }
    octets.push_str("\r\n");
    let mut octets = octets.into_bytes();
    octets.extend(lines().flatten().take(body.saturating_sub(2)));
    octets.extend_from_slice(b"\r\n");
    octets
}

/// Lines of words that look like text to a canonicalizer.
fn lines() -> impl Iterator<Item = Vec<u8>> {
    let mut state = 12_345_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 24
    };
    std::iter::repeat_with(move || {
        let mut line = Vec::with_capacity(74);
        while line.len() < 66 {
            let letters = 2 + next() % 8;
            line.extend((0..letters).map(|_| b'a' + u8::try_from(next() % 26).unwrap_or(0)));
            line.push(b' ');
        }
        line.pop(); // no blank at the end of a line
        line.extend_from_slice(b"\r\n");
        line
    })
}
