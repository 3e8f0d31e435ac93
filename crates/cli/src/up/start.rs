//! Bringing everything up, in the order in which each part needs the others.

use std::{fs, future::Future, path::PathBuf};

use anyhow::{Context as _, bail};
use tokio::time::Instant;

use super::{
    UpArgs,
    child::Part,
    data::{Data, Memory},
    first::{self, Admin, Wish},
    fleet::Fleet,
    garage::{self, Garage},
    leftovers,
    ports::Ports,
    programs::Programs,
    pulse::{self, Pulse},
    ready::Ready,
    server::{self, Server},
};
use crate::{
    client::Api,
    files,
    output::{Waiting, note},
};

/// What stands before anything is started. Holds the data directory's lock.
pub(super) struct Ground {
    /// The data directory.
    pub(super) data: Data,
    /// Where to say that everything answers.
    pub(super) ready_file: Option<PathBuf>,
    programs: Programs,
    wish: Wish,
    ports: Ports,
    memory: Memory,
    admin_socket: PathBuf,
}

/// What is up.
pub(super) struct Up {
    /// Where everything is.
    pub(super) ready: Ready,
    api: Api,
    garage: Garage,
    server: Server,
}

/// Finds the programs, locks the data directory, ends what was left running, settles the ports.
pub(super) async fn prepare(args: &UpArgs) -> anyhow::Result<Ground> {
    let wish = Wish::from_environment()?;
    let programs = Programs::find(args.garage.as_deref())?;
    if let Some(path) = &args.ready_file {
        files::check_can_write(path).context("--ready-file")?;
    }
    let data = Data::open(args.data.as_deref())?;
    match settle(args, &data).await {
        Ok((ports, memory, admin_socket)) => {
            let ready_file = args
                .ready_file
                .as_ref()
                .map(std::path::absolute)
                .transpose()?;
            Ok(Ground {
                data,
                ready_file,
                programs,
                wish,
                ports,
                memory,
                admin_socket,
            })
        }
        Err(error) => {
            data.abandon();
            Err(error)
        }
    }
}

/// What cannot be settled here leaves the data directory as it was.
async fn settle(args: &UpArgs, data: &Data) -> anyhow::Result<(Ports, Memory, PathBuf)> {
    data.refuse_full_disk()?;
    leftovers::stop(data).await?;
    let mut memory = data.memory()?;
    refuse_moved_ports(args, &memory)?;
    let ports = Ports::choose(args, memory.ports)?;
    memory.ports = Some(ports);
    let admin_socket = data.admin_socket(&mut memory)?;
    // First: it marks the directory as ours.
    data.remember(&memory)?;
    data.make_directories()?;
    if let Some(path) = &args.ready_file {
        // One from another start would be taken for this one's.
        let _ = fs::remove_file(path);
    }
    Ok((ports, memory, admin_socket))
}

/// Starts the three and does what the first start has to do; back when everything answers.
pub(super) async fn start(ground: &Ground, fleet: &mut Fleet) -> anyhow::Result<Up> {
    let Ground {
        data,
        programs,
        wish,
        ports,
        ..
    } = ground;
    let mut memory = ground.memory.clone();
    let admin = if memory.complete {
        None
    } else {
        Some(Admin::choose(data, wish, &mut memory)?)
    };
    data.remember(&memory)?;

    let garage = Garage::prepare(data, *ports, ground.admin_socket.clone())?;
    step(&format!("Garage {}", programs.garage_version), async {
        fleet.start(Part::Garage, garage.recipe(programs))?;
        fleet
            .until_answers(Part::Garage, garage::START_TIMEOUT, async || {
                garage.answers().await
            })
            .await
    })
    .await?;

    let server = Server::prepare(data, *ports)?;
    step("Control plane", async {
        fleet.start(Part::Server, server.recipe(programs, admin.as_ref()))?;
        fleet
            .until_answers(Part::Server, server::START_TIMEOUT, async || {
                server.answers().await
            })
            .await
    })
    .await?;
    // The next start of it, by our hand, needs no password in its environment.
    fleet.change_recipe(Part::Server, server.recipe(programs, None));

    let (api, config) = first::operator(data, *ports, wish, &memory, admin.as_ref()).await?;
    first::region(&api, *ports).await?;
    let pulse = Pulse::prepare(data, &garage, programs)?;
    step("Agent", async {
        first::enrol(&api, &pulse).await?;
        fleet.start(Part::Agent, pulse.recipe())?;
        let connected = async || first::is_connected(&api).await;
        fleet
            .until_answers(Part::Agent, pulse::START_TIMEOUT, connected)
            .await
    })
    .await?;

    let up = Up {
        ready: Ready::new(data, *ports, &config, admin.as_ref()),
        api,
        garage,
        server,
    };
    up.announce(ground, fleet)?;
    up.ready.show()?;
    if !memory.complete {
        first::finish(data, &mut memory)?;
    }
    Ok(up)
}

impl Up {
    /// Whether all three answer.
    pub(super) async fn answers(&self) -> bool {
        self.garage.answers().await
            && self.server.answers().await
            && first::is_connected(&self.api).await
    }

    /// Writes the ready file, if one was asked for.
    pub(super) fn announce(&self, ground: &Ground, fleet: &Fleet) -> anyhow::Result<()> {
        match (&ground.ready_file, fleet.pids()) {
            (Some(path), Some(pids)) => self.ready.write(path, pids),
            (Some(_), None) | (None, _) => Ok(()),
        }
    }
}

/// Runs one step of the start and says how long it took.
async fn step(name: &str, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let begun = Instant::now();
    let waiting = Waiting::new(name);
    let done = work.await;
    drop(waiting);
    done?;
    note(&format!(
        "{name:<16} up in {:.1} s",
        begun.elapsed().as_secs_f32()
    ));
    Ok(())
}

/// The region and the agent know these two ports by now.
fn refuse_moved_ports(args: &UpArgs, memory: &Memory) -> anyhow::Result<()> {
    let Some(last) = memory.ports.filter(|_| memory.complete) else {
        return Ok(());
    };
    let fixed = [
        ("--s3-port", args.s3_port, last.s3),
        ("--hub-port", args.hub_port, last.hub),
    ];
    for (flag, asked, was) in fixed {
        if asked.is_some_and(|asked| asked != was) {
            bail!(
                "{flag} cannot change any more: what is in this data directory was told port {was}. \
                 Leave {flag} out, or name another directory with --data."
            );
        }
    }
    Ok(())
}
