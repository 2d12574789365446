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

/// What the machine's host gives to others while something is measured ("steal", proc_stat(5)).
pub struct Stolen {
    ticks: [u64; 2],
}

impl Stolen {
    pub fn begin() -> anyhow::Result<Self> {
        Ok(Self { ticks: steal_and_all()? })
    }

    pub fn percent(&self) -> anyhow::Result<f64> {
        let [steal, all] = steal_and_all()?;
        Ok(100.0 * (steal - self.ticks[0]) as f64 / (all - self.ticks[1]).max(1) as f64)
    }
}

fn steal_and_all() -> anyhow::Result<[u64; 2]> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user's.
    let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?;
    Ok([ticks.get(7).copied().unwrap_or(0), ticks.iter().sum()])
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
