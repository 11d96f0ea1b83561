//! Writes the files of `cases/` from the table. Files that the table does not make are left alone: look at `git status`.
#![allow(clippy::expect_used, reason = "a chore of developers: what cannot be written must stop it")]

use std::fs;

use zi2_testkit::table::{table, zone};

fn main() {
    let folder = zi2_testkit::folder();
    fs::create_dir_all(&folder).expect("the folder of the cases");
    fs::write(folder.join("zone.json"), json(&zone())).expect("zone.json");
    for sketch in table() {
        let room = folder.join(&sketch.case.id);
        fs::create_dir_all(&room).expect("the folder of a case");
        fs::write(room.join("case.json"), json(&sketch.case)).expect("case.json");
        for (name, octets) in &sketch.messages {
            fs::write(room.join(name), octets).expect("a message");
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain data") + "\n"
}
