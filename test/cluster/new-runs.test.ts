import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { AuroraError } from '../../src/base/errors';
import { RunBringer } from '../../src/executors/remote/bring-runs';
import { Rsync } from '../../src/executors/remote/rsync';
import { localShell } from '../../src/executors/remote/shell';

const hasTools = ['rsync', 'tar', 'find'].every(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'new-runs-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The cluster's folder has the paths of this machine below it. */
const cluster = join(folder, 'cluster');
const home = join(folder, 'here', '.aurora');
const runs = join(home, 'runs', 'tiny');
const there = (path: string) => cluster + path;
const log = join(folder, 'commands');

/** In place of ssh: the host comes first. It notes what it runs; `$1` of the filter is the command. */
function bringer(filter = 'exec sh -c "$*"'): RunBringer {
  const command = join(folder, 'ssh.sh');
  writeFileSync(command, `#!/bin/sh\nshift\necho "$1" >> ${log}\n${filter}\n`);
  chmodSync(command, 0o755);
  const rsync = new Rsync({
    ...{ name: 'there', host: 'there', command: () => Promise.resolve([command]) },
    lost: (reason) => new AuroraError('network', reason),
  });
  const here = (path: string) => (path.startsWith(cluster) ? path.slice(cluster.length) : undefined);
  return new RunBringer({ rsync, shell: localShell(), home, there, here });
}

const commands = (): string[] => readFileSync(log, 'utf8').trim().split('\n');

function write(run: string, name: string, text: string | Uint8Array): void {
  const path = join(there(run), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function begin(i: number): string {
  const run = join(runs, `20260101T000000Z-${i.toString(16).padStart(8, '0')}`);
  write(run, 'spec.json', JSON.stringify({ name: 'tiny', model: { path: there('/models/tiny') } }));
  write(run, 'inputs.json', JSON.stringify({ files: [{ path: there('/data'), identity: { ino: 7 } }] }));
  write(run, 'trial.json', JSON.stringify({ trial: String(i) }));
  write(run, 'status.json', JSON.stringify({ step: i }));
  write(run, 'scalars.bin', Buffer.alloc(8 * i, i));
  write(run, 'owner.json', '{}');
  write(run, 'control/stop', '');
  write(run, 'checkpoints/step-000001/state.json', '{}');
  write(run, '.scalars.json.00000000-1-00000000.aurora-tmp', 'half');
  return run;
}

const CAME = ['inputs.json', 'scalars.bin', 'spec.json', 'status.json', 'trial.json'];

describe.skipIf(!hasTools)('the small files of runs that are not here', () => {
  let all: string[];
  beforeEach(() => {
    for (const name of ['cluster', 'here', 'commands'])
      rmSync(join(folder, name), { recursive: true, force: true });
    all = Array.from({ length: 60 }, (_, i) => begin(i));
  });

  const expectAll = () => {
    for (const [i, run] of all.entries()) {
      expect(readdirSync(run).sort()).toEqual(CAME);
      expect(readFileSync(join(run, 'scalars.bin'))).toEqual(Buffer.alloc(8 * i, i));
      const spec = JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8')) as object;
      expect(spec).toEqual({ name: 'tiny', model: { path: '/models/tiny' } });
      expect(readFileSync(join(run, 'inputs.json'), 'utf8')).not.toMatch(/identity|cluster/);
    }
    expect(readdirSync(home)).toEqual(['runs']);
  };

  it('come without rsync, and with their times', async () => {
    await bringer().follow([...all, join(runs, 'not-begun')]);
    expectAll();
    expect(existsSync(join(runs, 'not-begun'))).toBe(false);
    // rsync asks for the one that has not begun.
    expect(commands()).toEqual(['sh', 'sh', 'rsync']);
    const [run] = all;
    const seconds = (path: string) => Math.floor(statSync(path).mtimeMs / 1000);
    expect(seconds(join(run!, 'scalars.bin'))).toBe(seconds(join(there(run!), 'scalars.bin')));
    rmSync(log);
    await bringer().follow(all.slice(0, 1));
    expect(commands()).toEqual(['rsync', 'rsync']);
  });

  it.each([
    ['are cut off in the middle', 'if [ "$1" = sh ]; then sh | head -c 40000; else exec sh -c "$*"; fi'],
    ['cannot be packed', 'if [ "$1" = sh ]; then exit 127; else exec sh -c "$*"; fi'],
    ['come with an error', 'if [ "$1" = sh ]; then sh; exit 2; else exec sh -c "$*"; fi'],
  ])('come by rsync if they %s', async (_, filter) => {
    await bringer(filter).follow(all);
    expect(commands()).toEqual(expect.arrayContaining(['sh', 'rsync']));
    expectAll();
  });

  it('come later if the record of a run is not whole yet', async () => {
    write(all[3]!, 'spec.json', '{"name"');
    await bringer().follow(all);
    expect(existsSync(join(all[3]!, 'spec.json'))).toBe(false);
    expect(existsSync(join(all[3]!, 'status.json'))).toBe(false);
    begin(3);
    await bringer().follow(all);
    expectAll();
  });

  it('leave out what is larger than a curve', async () => {
    write(all[0]!, 'large.bin', Buffer.alloc(65 * 2 ** 20));
    await bringer().follow(all);
    expectAll();
  });

  it('of one that has ended come with the rest', async () => {
    await bringer().collect(all);
    expect(readdirSync(all[0]!).sort()).toEqual(['checkpoints', ...CAME]);
  });
});
