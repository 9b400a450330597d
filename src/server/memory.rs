//! Memory of the process against what it may have, for [`Overload`](crate::policy::overload::Overload), and the part of it
//! that is the [`Room`](crate::base::room::Room) of bodies.

use std::fs::read_to_string;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::front::entrance::Entrance;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks how much memory the process has, now and again and again for as long as what this gives is held.
pub(super) fn watch(entrance: Arc<Entrance>) -> AbortOnDropHandle<()> {
    let around = Around { group: of_group(Path::new("/")), machine: of_machine() };
    look(&entrance, around);
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            look(&entrance, around);
        }
    }))
}

/// Bytes of memory that there are around the process, where that is known.
#[derive(Clone, Copy, Debug)]
struct Around {
    /// What its control group may have, if that is limited.
    group: Option<u64>,
    /// What the machine has.
    machine: Option<u64>,
}

/// The part of the memory that bodies may have where nothing is written: one of so many.
const BODIES: u64 = 4;

fn look(entrance: &Entrance, around: Around) {
    let doors = entrance.doors();
    let settings = doors.plan().gateway.overload;
    let used = read_to_string("/proc/self/status").ok().and_then(|status| resident(&status));
    let limit = settings.memory_limit.or(around.group);
    if let (Some(used), Some(limit)) = (used, limit) {
        doors.overload().note_memory((used, limit), settings.memory);
    }
    let bodies = settings.bodies.or(limit.or(around.machine).map(|memory| memory / BODIES));
    doors.shared().room().limit_to(bodies.unwrap_or(u64::MAX));
}

/// Bytes of memory that the machine has.
fn of_machine() -> Option<u64> {
    kilobytes(&read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// Bytes that are resident, by the table that Linux has of a process.
fn resident(status: &str) -> Option<u64> {
    kilobytes(status, "VmRSS:")
}

/// Bytes that a table of Linux names in kilobytes.
fn kilobytes(table: &str, name: &str) -> Option<u64> {
    let kilobytes = table.lines().find_map(|line| line.strip_prefix(name))?;
    kilobytes.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Bytes that the control group of this process, or one around it, may have; `root` is where `proc` and `sys` are.
///
/// Source: cgroups(7); `memory.max` of version 2, `memory.limit_in_bytes` of version 1.
fn of_group(root: &Path) -> Option<u64> {
    let groups = read_to_string(root.join("proc/self/cgroup")).ok()?;
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, group) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        // Within a container the group's own path is that of the host, and the mount is the group itself.
        let written = Path::new(group).ancestors().filter_map(|around| {
            read_to_string(root.join(mount).join(around).join(file)).ok()?.trim().parse::<u64>().ok()
        });
        written.min()
    });
    // Version 1 says "no limit" with the largest number of pages.
    limits.min().filter(|limit| *limit < 1 << 60)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_resident_is_read() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    2048 kB\nThreads: 1\n"), Some(2 << 20));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn the_least_limit_around_counts_in_both_versions() {
        let root = std::env::temp_dir().join(format!("selvedge-groups-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        write("proc/self/cgroup", "0::/a/b\n");
        write("sys/fs/cgroup/a/b/memory.max", "max\n");
        assert_eq!(of_group(&root), None);
        write("sys/fs/cgroup/a/memory.max", "134217728\n");
        assert_eq!(of_group(&root), Some(128 << 20));
        write("proc/self/cgroup", "7:cpu,memory:/docker/x\n2:pids:/\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(of_group(&root), None);
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
        assert_eq!(of_group(&root), Some(256 << 20));
        fs::remove_dir_all(&root).expect("it can be removed");
    }
}
