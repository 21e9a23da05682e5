import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { AuroraError } from '../../src/base/errors';
import { requestIn } from '../../src/executors/cluster/request';
import { placeArrived } from '../../src/executors/remote/receive';
import { RunBringer } from '../../src/executors/remote/bring-runs';
import { TooMuchOutput } from '../../src/executors/remote/child';
import { Rsync } from '../../src/executors/remote/rsync';
import { RsyncFiles } from '../../src/executors/remote/rsync-files';
import { localShell, type ClusterShell } from '../../src/executors/remote/shell';
import { wanting } from '../../src/executors/remote/wanted';

const hasTools = ['rsync', 'tar', 'find'].every(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hostile-login-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The cluster's folder has the paths of this machine below it. */
const cluster = join(folder, 'cluster');
const home = join(folder, 'here', '.aurora');
const runs = join(home, 'runs', 'tiny');
const there = (path: string) => cluster + path;
const here = (path: string) => (path.startsWith(cluster) ? path.slice(cluster.length) : undefined);
/** Files of the user that no cluster may touch. */
const elsewhere = join(folder, 'elsewhere');
const MINE = '{"mine":true}';

/** In place of ssh: the host comes first, then the command. */
function remote(filter: string) {
  const command = join(folder, 'ssh.sh');
  writeFileSync(command, `#!/bin/sh\nshift\n${filter}\n`);
  chmodSync(command, 0o755);
  return {
    ...{ name: 'there', host: 'there', command: () => Promise.resolve([command]) },
    lost: (reason: string) => new AuroraError('network', reason),
  };
}

const bringer = (filter = 'exec sh -c "$*"', shell: ClusterShell = localShell()) =>
  new RunBringer({ rsync: new Rsync(remote(filter)), shell, home, there, here });

function write(run: string, name: string, text: string | Uint8Array): void {
  const path = join(there(run), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function begin(i: number): string {
  const run = join(runs, `20260101T000000Z-${i.toString(16).padStart(8, '0')}`);
  write(run, 'spec.json', JSON.stringify({ name: 'tiny' }));
  write(run, 'inputs.json', JSON.stringify({ files: [] }));
  write(run, 'trial.json', JSON.stringify({ trial: String(i) }));
  write(run, 'status.json', JSON.stringify({ step: i, state: 'running' }));
  write(run, 'scalars.bin', 'curve');
  return run;
}

/** Everything that is here, as the file system has it: no link, no pipe, no file with another name. */
function expectPlain(): void {
  expect(readFileSync(join(elsewhere, 'settings.json'), 'utf8')).toBe(MINE);
  expect(readdirSync(elsewhere).sort()).toEqual(['inside', 'settings.json']);
  expect(readdirSync(join(elsewhere, 'inside'))).toEqual([]);
  expect(readdirSync(home)).toEqual(existsSync(runs) ? ['runs'] : []);
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { nlink } = lstatSync(path);
    expect([path, entry.isDirectory() || (entry.isFile() && nlink === 1)]).toEqual([path, true]);
  }
}

describe.skipIf(!hasTools)('a hostile login node', () => {
  beforeEach(() => {
    for (const name of ['cluster', 'here', 'elsewhere'])
      rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(elsewhere, 'inside'), { recursive: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(join(elsewhere, 'settings.json'), MINE);
  });

  const everything = async (bringing: RunBringer, all: string[]) => {
    await bringing.follow(all);
    await bringing.collect(all);
    await bringing.collectCheckpoints(all);
  };

  // Few runs come by rsync, and many by tar.
  it.each([1, 40])('puts links and special files in the place of files of %i runs', async (count) => {
    const all = Array.from({ length: count }, (_, i) => begin(i));
    for (const [i, run] of all.entries()) {
      if (i > 5) continue;
      for (const name of ['inputs.json', 'spec.json', 'trial.json', 'scalars.bin'].slice(0, i + 1)) {
        rmSync(join(there(run), name));
        symlinkSync(join(elsewhere, 'settings.json'), join(there(run), name));
      }
      symlinkSync(elsewhere, join(there(run), 'samples'));
      symlinkSync('../../../../../elsewhere', join(there(run), 'adapter'));
      mkdirSync(join(there(run), 'checkpoints'));
      symlinkSync(elsewhere, join(there(run), 'checkpoints/step-000001'));
      spawnSync('mkfifo', [join(there(run), 'alarms.jsonl')]);
      linkSync(join(elsewhere, 'settings.json'), join(there(run), 'notes.json'));
    }
    await everything(bringer(), all);
    expectPlain();
  });

  it('has a link in the place of a run, and of its checkpoints', async () => {
    const [one, other] = [begin(1), begin(2)] as [string, string];
    await bringer().follow([one, other]);
    rmSync(there(one), { recursive: true });
    symlinkSync(elsewhere, there(one));
    symlinkSync(elsewhere, join(there(other), 'checkpoints'));
    const fresh = join(runs, '20260101T000000Z-00000003');
    symlinkSync(elsewhere, there(fresh));
    await everything(bringer(), [one, other, fresh]);
    expectPlain();
    expect(existsSync(fresh)).toBe(false);
  });

  it('has large records, which come of fewer runs at a time', async () => {
    const all = Array.from({ length: 7 }, (_, i) => begin(i));
    const shell = localShell();
    const asked: number[] = [];
    const narrow: ClusterShell = {
      name: 'login',
      run(script, options = {}) {
        const count = String(options.input ?? '').split('spec.json').length - 1;
        asked.push(count);
        return count > 2 ? Promise.reject(new TooMuchOutput('ssh', 1)) : shell.run(script, options);
      },
    };
    await bringer('if [ "$1" = sh ]; then exit 1; else exec sh -c "$*"; fi', narrow).follow(all);
    expect(asked).toEqual([7, 4, 2, 2, 2, 1]);
    for (const run of all) expect(readFileSync(join(run, 'spec.json'), 'utf8')).toContain('tiny');
    expectPlain();
  });

  it('sends records that nobody asked for', async () => {
    const [one, other] = [begin(1), begin(2)] as [string, string];
    await bringer().follow([one, other]);
    const names = [one, other].map((run) => run.split('/').at(-1)!);
    const before = readFileSync(join(other, 'spec.json'), 'utf8');
    const printed = [
      '../spec.json:{"name":"above"}',
      './spec.json:{"name":"here"}',
      `${names[1]}/spec.json:{"name":"another"}`,
      `${names[0]}/package.json:{"name":"not a record"}`,
      `${names[0]}/status.json:{"name":"not a record"}`,
      `${names[0]}/spec.json:{"name":"mine"}`,
    ].join('\n');
    const lying = { name: 'login', run: () => Promise.resolve({ code: 0, stdout: printed, stderr: '' }) };
    await bringer('exec sh -c "$*"', lying).collect([one]);
    expect(readFileSync(join(one, 'spec.json'), 'utf8')).toContain('mine');
    expect(readFileSync(join(other, 'spec.json'), 'utf8')).toBe(before);
    expect(existsSync(join(runs, 'spec.json')) || existsSync(join(dirname(runs), 'spec.json'))).toBe(false);
    expect(existsSync(join(one, 'package.json'))).toBe(false);
    expectPlain();
  });

  // rsync before 3.2.5 compares what is sent with nothing.
  it('sends files of other runs, and more than was asked for', () => {
    const arrived = join(folder, 'here', 'arrived');
    const put = (path: string) => {
      mkdirSync(join(arrived, dirname(path)), { recursive: true });
      writeFileSync(join(arrived, path), path);
    };
    const paths = [
      ...[
        'run/status.json',
        'run/samples/1.png',
        'part/last/status.json',
        'part/other',
        'another/status.json',
      ],
      ...[
        'run/owner.json',
        'run/Owner.json',
        'run/.owner-1',
        'run/control/stop',
        'file',
        'run/a\nb',
        'run/\u001b[2J',
      ],
      ...['run/.half.00000000-1-00000000.aurora-tmp', 'run/samples/.x.aurora-tmp/y'],
    ];
    paths.forEach(put);
    const asked = { entries: ['run', 'part/last'], without: ['owner.json', '.owner-*', 'control'] };
    placeArrived(arrived, runs, wanting(asked));
    const files = readdirSync(runs, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
    expect(files.map((e) => relative(runs, join(e.parentPath, e.name))).sort()).toEqual([
      'part/last/status.json',
      'run/samples/1.png',
      'run/status.json',
    ]);
  });

  it.each([
    ['a link', 'ln -s ELSEWHERE/settings.json RUN/inputs.json'],
    ['a link to a folder, and a file in it', 'rm -r RUN; ln -s ELSEWHERE RUN'],
    ['a hard link', 'ln ELSEWHERE/settings.json RUN/notes.json; ln RUN/notes.json RUN/other.json'],
    ['a pipe', 'mkfifo RUN/notes'],
    ['another name', 'mkdir other; echo x > other/spec.json'],
    ['a name above', 'echo x > ../above.json'],
  ])('packs %s', async (_, script) => {
    const all = Array.from({ length: 30 }, (_, i) => begin(i));
    const made = script.replaceAll('RUN', all[0]!.split('/').at(-1)!).replaceAll('ELSEWHERE', elsewhere);
    // With --absolute-names, tar packs names as they are given, and links as links.
    const packs = `cd ${there(runs)}; ${made}; cat > /dev/null; tar -cP -f - ./*/ ../above.json 2>/dev/null; echo 'aurora: packed' >&2`;
    await bringer(`if [ "$1" = sh ]; then ${packs}; else exec sh -c "$*"; fi`).follow(all);
    expectPlain();
    expect(existsSync(join(runs, 'other')) || existsSync(join(home, 'runs/above.json'))).toBe(false);
  });

  it('has folders that nobody may open, and records that are nested without end', async () => {
    const [one, other] = [begin(1), begin(2)] as [string, string];
    mkdirSync(join(there(one), 'samples'));
    write(one, 'samples/1.png', 'a picture');
    write(other, 'inputs.json', '['.repeat(200_000) + ']'.repeat(200_000));
    chmodSync(join(there(one), 'samples'), 0o511);
    chmodSync(join(there(one), 'scalars.bin'), 0o444);
    const bringing = bringer();
    await bringing.follow([one, other]);
    await bringing.collect([one, other]);
    chmodSync(join(there(one), 'samples'), 0o755);
    expect(readFileSync(join(one, 'samples/1.png'), 'utf8')).toBe('a picture');
    expect(existsSync(join(other, 'inputs.json'))).toBe(false);
    expectPlain();
  });

  it('prints without end', async () => {
    const all = Array.from({ length: 30 }, (_, i) => begin(i));
    await bringer('if [ "$1" = sh ]; then exec yes; else exec sh -c "$*"; fi').follow(all);
    expect(readdirSync(runs)).toHaveLength(30);
    expectPlain();
  });
});

describe.skipIf(!hasTools)('another user of a shared folder', () => {
  beforeEach(() => {
    for (const name of ['cluster', 'here', 'elsewhere'])
      rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(elsewhere, 'inside'), { recursive: true });
    mkdirSync(runs, { recursive: true });
    writeFileSync(join(elsewhere, 'settings.json'), MINE);
  });

  const untouched = () => {
    expect(readdirSync(elsewhere).sort()).toEqual(['inside', 'settings.json']);
    expect(readFileSync(join(elsewhere, 'settings.json'), 'utf8')).toBe(MINE);
  };

  it.each(['', 'checkpoints', 'scalars.bin', 'status.json'])(
    'has put a link in the place of a run or its %j: nothing is written through it',
    async (name) => {
      const run = begin(1);
      write(run, 'checkpoints/step-000001/state.json', '{}');
      if (name !== '') mkdirSync(run);
      symlinkSync(name.includes('.') ? join(elsewhere, 'settings.json') : elsewhere, join(run, name));
      const bringing = bringer();
      await bringing.follow([run]).catch((e: unknown) => expect(e).toMatchObject({ kind: 'disk' }));
      await bringing.collect([run]).catch((e: unknown) => expect(e).toMatchObject({ kind: 'disk' }));
      await bringing
        .collectCheckpoints([run])
        .catch((e: unknown) => expect(e).toMatchObject({ kind: 'disk' }));
      untouched();
    },
  );

  it('has put links in the place of requests', async () => {
    const [one, other, third] = [begin(1), begin(2), begin(3)] as [string, string, string];
    symlinkSync(elsewhere, join(there(one), 'control'));
    mkdirSync(join(there(other), 'control'));
    symlinkSync(join(elsewhere, 'settings.json'), join(there(other), 'control/stop'));
    rmSync(there(third), { recursive: true });
    symlinkSync(elsewhere, there(third));
    for (const run of [one, other, third]) requestIn(there(run), 'stop');
    untouched();
    rmSync(join(there(other), 'control/stop'));
    symlinkSync(join(elsewhere, 'settings.json'), join(there(other), 'control/stop'));
    const files = new RsyncFiles({
      ...{ host: remote('exec sh -c "$*"'), shell: localShell(), folder: cluster, dist: '', home },
      ...{ sweep: join(home, 'sweeps/tiny/s'), filesRead: () => Promise.resolve([]) },
    });
    await files.request([one, other, third], 'stop');
    untouched();
    expect(readdirSync(join(there(other), 'control'))).toEqual(['stop']);
    expect(lstatSync(join(there(other), 'control/stop')).isFile()).toBe(true);
  });
});

describe.skipIf(!hasTools)('names of folders', () => {
  it.each(['$(touch OUT)', '`touch OUT`', 'a;touch OUT;', 'a b', '~', '~root', "it's", '"', '*', '$HOME'])(
    'run nothing on the login node, and keep their names: %s',
    async (name) => {
      rmSync(cluster, { recursive: true, force: true });
      const out = join(folder, 'out');
      const local = join(folder, 'named', name.replace('OUT', 'out'));
      rmSync(join(folder, 'named'), { recursive: true, force: true });
      mkdirSync(local, { recursive: true });
      writeFileSync(join(local, 'file'), 'content');
      // As versions before 3.2.4 always do.
      process.env.RSYNC_OLD_ARGS = '1';
      try {
        const rsync = new Rsync(remote(`cd ${folder} && exec sh -c "$*"`));
        mkdirSync(there(local), { recursive: true });
        await rsync.copy({
          ...{ from: local, to: { there: there(local) }, entries: ['file'], timeoutMs: 60_000 },
        });
      } finally {
        delete process.env.RSYNC_OLD_ARGS;
      }
      expect(readFileSync(join(there(local), 'file'), 'utf8')).toBe('content');
      expect(existsSync(out)).toBe(false);
    },
  );
});
