import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A login node on this machine: Debian's sshd with its own keys and port, that lets in only this user. */
export interface Sshd {
  /** Its name for `ssh`. */
  host: 'cluster';
  /** A login that accepts only a password. */
  locked: 'locked';
  /** A node that is switched off. */
  off: 'off';
  /** Variables with which `ssh` finds these hosts, and nothing of the user's own. */
  env: { PATH: string; XDG_RUNTIME_DIR: string };
  /** The number of connections authenticated so far. */
  logins(): number;
  log(): string;
  /** Ends it, with all connections that it has: the node is down. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with the same keys, unless it runs. */
  start(): Promise<void>;
}

const SSHD = '/usr/sbin/sshd';
export const hasSshd = existsSync(SSHD);

/**
 * @param folder an empty one for its files, with a short path: a socket's path has at most 104 characters
 * @param env what commands get there, such as PATH and SLURM_CONF
 */
export async function startSshd(folder: string, env: Record<string, string> = {}): Promise<Sshd> {
  const [bin, run] = [join(folder, 'bin'), join(folder, 'run')];
  for (const made of [bin, run]) mkdirSync(made, { recursive: true, mode: 0o700 });
  // Debian's service makes it for root.
  if (process.getuid!() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  copyFileSync(join(folder, 'user.pub'), join(folder, 'authorized'));
  chmodSync(join(folder, 'authorized'), 0o600);
  const port = await freePort();
  const user = userInfo().username;
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const set = Object.entries(env).map(([name, value]) => `"${name}=${value}"`);
  file(
    'sshd_config',
    lines([
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      `PidFile ${join(folder, 'sshd.pid')}`,
      // The folder above may be anyone's, as /tmp is.
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication yes',
      'PrintMotd no',
      'MaxStartups 100',
      ...(set.length > 0 ? [`SetEnv ${set.join(' ')}`] : []),
    ]),
  );
  const [type, key] = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ');
  file('known_hosts', `[127.0.0.1]:${port} ${type} ${key}\n`);
  file(
    'ssh_config',
    lines([
      'Host locked',
      '  PubkeyAuthentication no',
      'Host off',
      `  Port ${await freePort()}`,
      'Host *',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  User ${user}`,
      `  IdentityFile ${join(folder, 'user')}`,
      '  IdentitiesOnly yes',
      '  IdentityAgent none',
      `  UserKnownHostsFile ${join(folder, 'known_hosts')}`,
      '  GlobalKnownHostsFile none',
    ]),
  );
  file('bin/ssh', `#!/bin/sh\nexec /usr/bin/ssh -F ${join(folder, 'ssh_config')} "$@"\n`);
  chmodSync(join(bin, 'ssh'), 0o755);
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
  let sshd: ChildProcess | undefined;

  const isRunning = () => sshd !== undefined && sshd.exitCode === null && sshd.signalCode === null;
  const start = async () => {
    if (isRunning()) return;
    sshd = spawn(SSHD, ['-D', '-f', join(folder, 'sshd_config'), '-E', join(folder, 'log')], {
      stdio: 'ignore',
    });
    for (let i = 0; !(await answers(port)); i++) {
      if (i > 100 || !isRunning()) throw new Error(`sshd did not start:\n${log()}`);
      await wait(50);
    }
  };
  const stop = async () => {
    if (!isRunning()) return;
    const ended = new Promise((done) => sshd!.once('exit', done));
    const all = [sshd!.pid!, ...connections(sshd!.pid!)];
    for (const pid of all)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended since.
      }
    await ended;
  };

  await start();
  return {
    host: 'cluster',
    locked: 'locked',
    off: 'off',
    env: { PATH: `${bin}${delimiter}${process.env.PATH}`, XDG_RUNTIME_DIR: run },
    logins: () => log().match(/Accepted publickey/g)?.length ?? 0,
    log,
    stop,
    start,
  };
}

/** sshd's processes for its connections, each in a separate session; what users started in them continues. */
function connections(sshd: number): number[] {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid=,comm='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const below = (parent: number): number[] =>
    all
      .filter(([, ppid, name]) => Number(ppid) === parent && name!.startsWith('sshd'))
      .flatMap(([pid]) => [Number(pid), ...below(Number(pid))]);
  return below(sshd);
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
