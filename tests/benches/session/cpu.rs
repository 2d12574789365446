//! CPU time of process trees, from /proc.

use std::collections::HashMap;
use std::fs;

/// Seconds of CPU, user and system, that these processes, all below them and all their ended children have used.
pub fn of_trees(roots: &[u32]) -> anyhow::Result<f64> {
    let processes = snapshot();
    let mut ticks = 0;
    let mut next: Vec<u32> = roots.to_vec();
    while let Some(pid) = next.pop() {
        if let Some(process) = processes.get(&pid) {
            ticks += process.ticks;
        }
        next.extend(processes.iter().filter(|(_, process)| process.parent == pid).map(|(pid, _)| *pid));
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

struct Process {
    parent: u32,
    ticks: u64,
}

fn snapshot() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold spaces: fields are counted from behind it.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let number = |index: usize| fields.get(index).and_then(|text| text.parse::<u64>().ok());
            // ppid is field 4; utime, stime, cutime, cstime are fields 14 to 17 (proc(5)).
            let ticks = [11, 12, 13, 14].into_iter().filter_map(number).sum();
            Some((pid, Process { parent: number(1)?.try_into().ok()?, ticks }))
        })
        .collect()
}
