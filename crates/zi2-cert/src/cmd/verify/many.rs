//! Many messages, several at a time: a row each in the order of their names, and a summary.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use super::message::{Judged, Steps, judged};
use super::scene::Scene;
use super::tally::Board;
use super::walk::Found;
use super::{Args, Show};
use crate::cli::Common;
use crate::limits::{AT_ONCE, OCTETS_AT_ONCE};
use crate::{Exit, Io, Trouble, input, net};

pub(super) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    refuse(args)?;
    let scene = Scene::of(args, common, io)?;
    // A scene that cannot be set up is one trouble, not one for each message.
    drop(scene.services()?);
    let found = Found::below(&args.file)?;
    for trouble in &found.troubles {
        trouble.say(io);
    }
    if found.links > 0 {
        io.talk(format_args!("zi2-cert: symbolic links were not followed: {}", found.links));
    }
    if found.files.is_empty() {
        let remedy = "Messages are files named *.eml, and all files in the cur and new of a Maildir.";
        return Err(Trouble::new(Exit::NoInput, "there is no message below the directories named", remedy));
    }
    let mut board = Board::new(args.lines(), found.files.len(), io);
    found.troubles.iter().for_each(|trouble| board.saw(trouble.exit));
    let room = Semaphore::new(usize::try_from(permits(u64::from(OCTETS_AT_ONCE))).unwrap_or(usize::MAX));
    let crew = Arc::new(Crew { scene, room, steps: args.steps() });
    net::wide_runtime()?.block_on(verify_all(&crew, found.files, &mut board, io))?;
    board.close(io)
}

/// What only one message can be asked.
fn refuse(args: &Args) -> Result<(), Trouble> {
    let usage = |what, remedy| Err(Trouble::new(Exit::Usage, what, remedy));
    match args.show {
        _ if args.file.iter().any(|file| file == Path::new(input::STDIN)) => usage(
            "- stands for one message alone, without a name",
            "Name files or directories, or - alone with --json.",
        ),
        Show { json: true, .. } => {
            usage("--json prints one object, for one message", "Use --jsonl: one object a line for each message.")
        }
        Show { explain: true, jsonl: false, .. } => {
            usage("--explain shows one message", "Name one file, or add --jsonl: the checks stand in each line.")
        }
        _ => Ok(()),
    }
}

/// Messages are begun in their order and shown in their order; between the two they overtake each other.
async fn verify_all(crew: &Arc<Crew>, files: Vec<PathBuf>, board: &mut Board, io: &mut Io<'_>) -> Result<(), Trouble> {
    let mut waiting = files.into_iter();
    let mut running: VecDeque<(PathBuf, JoinHandle<Result<Judged, Trouble>>)> = VecDeque::new();
    loop {
        while let Some(path) = (running.len() < AT_ONCE).then(|| waiting.next()).flatten() {
            running.push_back((path.clone(), tokio::spawn(Arc::clone(crew).verify(path))));
        }
        let Some((path, task)) = running.pop_front() else { return Ok(()) };
        let judged = task.await.unwrap_or_else(|error| Err(Trouble::bug(error)));
        board.put(&path, &judged, io)?;
    }
}

/// What all messages under way share.
struct Crew {
    scene: Scene,
    /// Room for messages in memory.
    room: Semaphore,
    steps: Steps,
}

impl Crew {
    async fn verify(self: Arc<Self>, path: PathBuf) -> Result<Judged, Trouble> {
        // A file that grows meanwhile is still bounded by what is read of one message.
        let octets = std::fs::metadata(&path).map_or(0, |found| found.len());
        let _room = self.room.acquire_many(permits(octets)).await.map_err(Trouble::bug)?;
        let octets = spawn_blocking(move || input::message_file(&path)).await.map_err(Trouble::bug)??;
        judged(&self.scene, octets, self.steps).await
    }
}

/// Room in kibibytes, never more than there is.
fn permits(octets: u64) -> u32 {
    let all = OCTETS_AT_ONCE / 1024;
    u32::try_from(octets / 1024 + 1).map_or(all, |wanted| wanted.min(all))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::Parser;

    use super::super::tally::Lines;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
        #[command(flatten)]
        common: Common,
    }

    #[test]
    fn room_is_bounded_and_every_message_gets_some() {
        let (all, most) = (OCTETS_AT_ONCE / 1024, u64::from(OCTETS_AT_ONCE));
        for (octets, room) in [
            (0, 1),
            (10 * 1024, 11),
            (most - 1025, all - 1),
            (most - 1024, all),
            (most, all),
            (crate::limits::MESSAGE_OCTETS, all), // or it would wait for ever
            (u64::MAX, all),
        ] {
            assert_eq!(permits(octets), room, "{octets}");
        }
    }

    #[tokio::test]
    async fn so_many_messages_are_under_way() {
        let (mut input, mut out, mut err) = (std::io::empty(), Vec::new(), Vec::new());
        let mut io = Io { input: &mut input, out: &mut out, err: &mut err, host: crate::Host::system() };
        let folder = tempfile::tempdir().unwrap();
        let world = folder.path().join("world.json");
        std::fs::write(&world, r#"{"now": 0, "dns": {}}"#).unwrap();
        let line = Line::parse_from([OsStr::new("verify"), OsStr::new("--world"), world.as_os_str(), OsStr::new("x")]);
        for files in [AT_ONCE, AT_ONCE + 1] {
            // No room for any: all that were begun wait.
            let scene = Scene::of(&line.args, &line.common, &mut io).unwrap();
            let crew = Arc::new(Crew { scene, room: Semaphore::new(0), steps: Steps::Hidden });
            let mut board = Board::new(Lines::Json, files, &io);
            let paths = vec![PathBuf::from("/nonexistent"); files];
            let mut all = Box::pin(verify_all(&crew, paths, &mut board, &mut io));
            let first = std::future::poll_fn(|context| std::task::Poll::Ready(all.as_mut().poll(context))).await;
            assert!(first.is_pending());
            assert_eq!(Arc::strong_count(&crew) - 1, AT_ONCE, "{files}");
            crew.room.close();
            all.await.unwrap();
        }
    }
}
