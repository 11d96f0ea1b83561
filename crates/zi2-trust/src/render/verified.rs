//! `X-ZI2-Verified` (zi2.md §10).

use zi2_mail::{Domain, FieldError, FieldWriter, HostName, NewField, Timestamp};

use crate::{Judgement, Reason, ReplayVerdict, Spoof, Verdict};

/// The field's name.
pub const VERIFIED_FIELD: &str = "X-ZI2-Verified";

/// The field for a judgement. No octet a sender chose gets in, except checked host names, domains and identifiers.
pub fn verified(judgement: &Judgement, by: &HostName, now: Timestamp) -> Result<NewField, FieldError> {
    let mut writer = FieldWriter::new(VERIFIED_FIELD);
    head(&mut writer, judgement.verdict, judgement.level.number(), judgement.reason)?;
    if let Some(sid) = &judgement.sid {
        writer.tag("sid", sid.as_str())?;
    }
    writer.tag("ts", &now.secs().to_string())?;
    writer.tag("by", by.as_str())?;
    if let Some(domain) = &judgement.from {
        writer.tag("d", domain.as_str())?;
    }
    if let Some(kid) = judgement.kid {
        writer.tag("kid", &kid.to_string())?;
    }
    writer.tag("hist", judgement.history.as_str())?;
    if let Some(via) = via(judgement) {
        writer.tag("via", &via)?;
    }
    if judgement.replay == ReplayVerdict::Duplicate {
        writer.tag("seen", "duplicate")?;
    }
    if judgement.spoof != Spoof::No {
        writer.tag("spoof", judgement.spoof.as_str())?;
    }
    Ok(writer.finish())
}

/// On whose word a message passes, or who changed it, in one text: names with a comma between each two.
pub fn via(judgement: &Judgement) -> Option<String> {
    let names: Vec<&str> = judgement.via.iter().map(Domain::as_str).collect();
    (!names.is_empty()).then(|| names.join(","))
}

/// The field for local recipients of a message that its login may not send (zi2.md §9).
pub fn login_mismatch(by: &HostName, from: Option<&Domain>, now: Timestamp) -> Result<NewField, FieldError> {
    let mut writer = FieldWriter::new(VERIFIED_FIELD);
    head(&mut writer, Verdict::Missing, 0, Reason::TenantLoginMismatch)?;
    writer.tag("ts", &now.secs().to_string())?;
    writer.tag("by", by.as_str())?;
    if let Some(domain) = from {
        writer.tag("d", domain.as_str())?;
    }
    writer.tag("spoof", Spoof::Yes.as_str())?;
    Ok(writer.finish())
}

fn head(writer: &mut FieldWriter, verdict: Verdict, level: u8, reason: Reason) -> Result<(), FieldError> {
    writer.tag("result", verdict.as_str())?;
    writer.tag("level", &level.to_string())?;
    writer.tag("reason", reason.as_str())?;
    Ok(())
}
