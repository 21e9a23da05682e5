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
    write(all[0]!, 'adapter/last/adapter_model.safetensors', 'weights');
    await bringer().collect(all);
    expect(readdirSync(all[0]!).sort()).toEqual(['adapter', ...CAME]);
    expect(readdirSync(all[1]!).sort()).toEqual(CAME);
  });
});

const STATUS = { pid: 1, nonce: 'a', host: 'node1', state: 'finished', step: 9, steps: 9 };

/** As a run that has finished. */
function finish(run: string): void {
  write(run, 'status.json', JSON.stringify({ ...STATUS, startedAt: 1, heartbeat: 2 }));
  write(run, 'result.json', '{}');
  write(run, 'adapter/last/adapter_model.safetensors', `weights of ${run}`);
  write(run, 'adapter/last/aurora.json', '{}');
  write(run, 'activations/a.bin', 'values');
}

const WHOLE = ['activations', 'adapter', 'inputs.json', 'result.json', ...CAME.slice(1)];

describe.skipIf(!hasTools)('the large files of runs that have finished', () => {
  let all: string[];
  beforeEach(() => {
    for (const name of ['cluster', 'here', 'commands'])
      rmSync(join(folder, name), { recursive: true, force: true });
    all = Array.from({ length: 60 }, (_, i) => begin(i));
    all.forEach(finish);
  });

  const expectAll = () => {
    for (const run of all) {
      expect(readdirSync(run).sort()).toEqual(WHOLE);
      expect(readdirSync(join(run, 'adapter/last'))).toEqual(['adapter_model.safetensors', 'aurora.json']);
      const weights = readFileSync(join(run, 'adapter/last/adapter_model.safetensors'), 'utf8');
      expect(weights).toBe(`weights of ${run}`);
    }
    expect(readdirSync(home)).toEqual(['runs']);
  };

  it('come without rsync', async () => {
    write(all[1]!, 'large.bin', Buffer.alloc(64 * 2 ** 20, 1));
    const bringing = bringer();
    await bringing.follow(all);
    expect(readdirSync(all[0]!).sort()).toEqual(WHOLE.slice(2));
    await bringing.collect(all);
    expect(commands()).toEqual(['sh', 'sh', 'sh', 'sh']);
    expect(statSync(join(all[1]!, 'large.bin')).size).toBe(64 * 2 ** 20);
    rmSync(join(all[1]!, 'large.bin'));
    expectAll();
  });

  it.each([
    ['are cut off in the middle', 'if [ "$1" = sh ]; then sh | head -c 20000; else exec sh -c "$*"; fi'],
    ['come with an error', 'if [ "$1" = sh ]; then sh; exit 2; else exec sh -c "$*"; fi'],
    // kubectl may say that all is well.
    [
      'are cut off between two files',
      'if [ "$1" = sh ]; then sh 2>&- | head -c 1024; else exec sh -c "$*"; fi',
    ],
    ['are partly not readable', 'if [ "$1" = sh ]; then PATH=BIN:$PATH sh; else exec sh -c "$*"; fi'],
  ])('come by rsync if they %s', async (_, filter) => {
    const bringing = bringer();
    await bringing.follow(all);
    // As find does about a folder that it may not open; root may open all.
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'find'), '#!/bin/sh\n/usr/bin/find "$@" | head -z -n 3\nexit 1\n');
    chmodSync(join(bin, 'find'), 0o755);
    bringer(filter.replace('BIN', bin));
    await bringing.collect(all);
    expect(commands()).toEqual(expect.arrayContaining(['sh', 'rsync']));
    expectAll();
  });

  it('come by rsync if the run had not finished when its small ones came', async () => {
    for (const run of all) rmSync(join(there(run), 'result.json'));
    const bringing = bringer();
    await bringing.follow(all);
    all.forEach(finish);
    write(all[0]!, 'scalars.bin', 'the last steps');
    await bringing.collect(all);
    expect(readFileSync(join(all[0]!, 'scalars.bin'), 'utf8')).toBe('the last steps');
    expectAll();
  });

  it('become as on the cluster if some are here', async () => {
    const bringing = bringer();
    await bringing.follow(all);
    mkdirSync(join(all[0]!, 'adapter/last'), { recursive: true });
    writeFileSync(join(all[0]!, 'adapter/last/former.json'), '{}');
    writeFileSync(join(all[1]!, 'user.json'), '{"note":"mine"}');
    await bringing.collect(all);
    expect(readFileSync(join(all[1]!, 'user.json'), 'utf8')).toBe('{"note":"mine"}');
    rmSync(join(all[1]!, 'user.json'));
    expectAll();
  });
});

describe.skipIf(!hasTools)('checkpoints', () => {
  let run: string;
  let other: string;
  beforeEach(async () => {
    for (const name of ['cluster', 'here', 'commands'])
      rmSync(join(folder, name), { recursive: true, force: true });
    [run, other] = [begin(1), begin(2)] as [string, string];
    [run, other].forEach(finish);
    rmSync(join(there(other), 'checkpoints'), { recursive: true });
    await bringer().collect([run, other]);
  });

  const steps = (of: string) =>
    readdirSync(join(of, 'checkpoints'), { recursive: true, encoding: 'utf8' }).sort();

  it('come when they are wanted, of the runs that have some', async () => {
    write(run, 'checkpoints/.step-000002.00000000-1-00000000.aurora-tmp/state.json', 'half');
    await bringer().collectCheckpoints([run, other]);
    expect(steps(run)).toEqual(['step-000001', 'step-000001/state.json']);
    expect([run, other].map((of) => readdirSync(of).sort())).toEqual([
      [...WHOLE.slice(0, 2), 'checkpoints', ...WHOLE.slice(2)],
      WHOLE,
    ]);
    expect(readdirSync(home)).toEqual(['runs']);
  });

  it('are none rather than a part of them if they are cut off', async () => {
    write(run, 'checkpoints/step-000002/adapter.safetensors', Buffer.alloc(2 ** 20, 1));
    const cutOff = bringer('timeout -s KILL 2 sh -c "$*" | head -c 100000');
    await expect(cutOff.collectCheckpoints([run])).rejects.toMatchObject({ kind: 'network' });
    expect(existsSync(join(run, 'checkpoints'))).toBe(false);
    await bringer().collectCheckpoints([run]);
    expect(steps(run)).toContain('step-000002/adapter.safetensors');
  });

  it('that are here become as on the cluster, and those that were removed there are removed', async () => {
    await bringer().collectCheckpoints([run]);
    write(run, 'checkpoints/step-000002/state.json', '{}');
    rmSync(join(there(run), 'checkpoints/step-000001'), { recursive: true });
    await bringer().collectCheckpoints([run]);
    expect(steps(run)).toEqual(['step-000002', 'step-000002/state.json']);
  });
});
