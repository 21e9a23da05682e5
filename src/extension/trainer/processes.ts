import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';

/** Whether a process with this id is there; one of another user counts. A zombie does not: it runs nothing. */
export async function isThere(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = await procStat(pid);
  return stat === undefined || (stat[0] !== 'Z' && stat[0] !== 'X');
}

/** Whether any process of the group that `leader` began is left; on Windows, whether `leader` is. */
export async function groupIsThere(leader: number): Promise<boolean> {
  if (process.platform === 'win32') return isThere(leader);
  try {
    process.kill(-leader, 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return isThere(leader);
  }
  // The group may be no more than a dead leader whom nobody has waited for yet.
  return process.platform === 'linux' ? (await isThere(leader)) || groupHasLiving(leader) : true;
}

async function groupHasLiving(group: number): Promise<boolean> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await procStat(Number(name));
    if (stat && Number(stat[2]) === group && stat[0] !== 'Z' && stat[0] !== 'X') return true;
  }
  return false;
}

/** Asks or ends a process with everything it started. A process that is gone already is no error. */
export async function killTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (process.platform === 'win32') {
    // Windows has no SIGTERM: a console-less process can only be ended.
    await new Promise<void>((resolve) =>
      execFile('taskkill', ['/T', '/F', '/PID', String(pid)], { windowsHide: true }, () => resolve()),
    );
    return;
  }
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

/** Clock ticks of /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** When the process began, in ms since 1970; undefined where the system does not say. Precise to a second or two. */
export async function startTime(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') {
    const stat = await procStat(pid);
    const boot = /^btime (\d+)/m.exec(await readFile('/proc/stat', 'utf8').catch(() => ''))?.[1];
    return stat && boot ? (Number(boot) + Number(stat[19]) / TICKS_PER_SECOND) * 1000 : undefined;
  }
  const [program, args] =
    process.platform === 'win32'
      ? [
          'powershell.exe',
          [
            '-NoProfile',
            '-NonInteractive',
            '-Command',
            `(Get-Process -Id ${pid}).StartTime.ToUniversalTime().ToString('o')`,
          ],
        ]
      : ['ps', ['-o', 'lstart=', '-p', String(pid)]];
  const text = await new Promise<string>((resolve) =>
    execFile(
      program,
      args,
      { timeout: 5000, windowsHide: true, env: { ...process.env, LC_ALL: 'C' } },
      (e, out) => resolve(e ? '' : out.trim()),
    ),
  );
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** The fields of /proc/PID/stat from the third, the state, on; undefined where there is none. */
async function procStat(pid: number): Promise<string[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets, which may hold anything.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
