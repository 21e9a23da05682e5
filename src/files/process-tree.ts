import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { childEnvironment } from './child-environment';
import { isPid, processExists, procStat } from './process-facts';

/** Whether any process of the group that `leader` began is left; on Windows, whether `leader` is. */
export async function groupIsThere(leader: number): Promise<boolean> {
  if (process.platform === 'win32' || !isPid(leader)) return processExists(leader);
  try {
    process.kill(-leader, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return processExists(leader);
  }
  // The group may be no more than a dead leader whom nobody has waited for yet.
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
 * Asks or ends a process with everything it started. One that is gone already is no error. Nothing is signalled for
 * what is no process id, for this process, its parent, or the group that this process is in: whoever takes the id
 * from a file asks `isOurTrainer` first.
 */
export async function killTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isPid(pid) || pid === process.pid || pid === process.ppid) return;
  if (process.platform === 'win32') {
    // Windows has no SIGTERM: a console-less process can only be ended.
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
  // A trainer of ours leads its group; one from a terminal may not.
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
