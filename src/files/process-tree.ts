import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { childEnvironment } from './child-environment';
import { isPid, processExists, procStat } from './process-facts';

/** True if any process of the group led by `leader` is left; on Windows, if `leader` is. */
export async function groupIsThere(leader: number): Promise<boolean> {
  if (process.platform === 'win32' || !isPid(leader)) return processExists(leader);
  try {
    process.kill(-leader, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return processExists(leader);
  }
  // The group may consist of a zombie leader alone.
  return process.platform === 'linux' ? processExists(leader) || groupHasLiving(leader) : true;
}

async function groupHasLiving(group: number): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = procStat(Number(name));
    if (stat && Number(stat[2]) === group && stat[0] !== 'Z' && stat[0] !== 'X') return true;
  }
  return false;
}

/**
 * Stops or kills a process and everything it started. A process that is already gone is not an error. Never signals an
 * invalid process id, this process, its parent or its group. For an id from a file, check `isOurTrainer` first.
 */
export async function killTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isPid(pid) || pid === process.pid || pid === process.ppid) return;
  if (process.platform === 'win32') {
    // Windows has no SIGTERM: a process without a console can only be killed.
    await new Promise<void>((resolve) =>
      execFile(
        'taskkill',
        ['/T', '/F', '/PID', String(pid)],
        { windowsHide: true, env: childEnvironment() },
        () => resolve(),
      ),
    );
    return;
  }
  if (pid === Number(procStat('self')?.[2])) return;
  // A trainer started by the extension leads its group; one from a terminal may not.
  if (!send(-pid, signal)) send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw e;
  }
}
