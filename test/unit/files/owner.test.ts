import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeAtomic } from '../../../src/files/atomic';
import { ownerFile, parseOwner, requireOwned, stillOwned, successorFile } from '../../../src/files/fence';
import { claim, heldBy, type Claim, schedulerJob } from '../../../src/files/owner';
import { thisProcess } from '../../../src/files/processes';
import { temporaryFolders } from '../runs/folder';
import { scratchFolder } from '../../scratch';

const folder = temporaryFolders();
const programs = scratchFolder('owner');
const program = join(programs, 'claim.cjs');

/** Claims each of the given folders, prints which ones it got, and runs until its input ends. */
const CLAIMING = `
  import { claim } from './owner';
  process.stdin.once('data', async () => {
    for (const folder of process.argv.slice(2)) {
      const got = await claim(folder);
      console.log('owner' in got ? got.owner.nonce : got.as);
    }
    console.log('done');
  });
  process.stdin.once('end', () => process.exit());
`;

beforeAll(async () => {
  const resolveDir = resolve(import.meta.dirname, '../../../src/files');
  const stdin = { contents: CLAIMING, resolveDir, loader: 'ts' } as const;
  await build({ stdin, bundle: true, platform: 'node', format: 'cjs', outfile: program });
});

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended;
  }
});

/** Starts another process that claims folders on request; `said` resolves to its output. */
function claiming(...folders: string[]): { child: ChildProcess; said: Promise<string[]> } {
  const child = spawn(process.execPath, [program, ...folders], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const said = new Promise<string[]>((done) => {
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) =>
      line === 'done' ? done(lines) : lines.push(line),
    );
  });
  return { child, said };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const ownerOf = (path: string) => parseOwner(readFileSync(ownerFile(path)));
const got = (result: Claim) => {
  if ('owner' in result) return result.owner;
  throw new Error(`held by ${result.heldBy.pid}`);
};
const dead = (over = {}) => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return JSON.stringify({ ...thisProcess(), pid, nonce: 'dead', at: Date.now(), ...over });
};
const elsewhere = { host: 'elsewhere', boot: 'another' };

describe('the owner of a folder', () => {
  it('is one process, until it releases the folder', async () => {
    const path = folder();
    const owner = got(await claim(path));
    expect(ownerOf(path)).toMatchObject({ ...thisProcess(), nonce: owner.nonce });
    expect(await claim(path)).toMatchObject({ as: 'alive', heldBy: { pid: process.pid } });
    owner.release();
    const next = got(await claim(path));
    owner.release();
    expect(ownerOf(path)?.nonce).toBe(next.nonce);
    next.release();
    expect(readdirSync(path)).toEqual([]);
  });

  it('is kept while its process is suspended and replaced once its process has ended', async () => {
    const path = folder();
    const { child, said } = claiming(path);
    child.stdin!.write('\n');
    const [nonce] = await said;
    child.kill('SIGSTOP');
    expect(await claim(path)).toMatchObject({ as: 'alive', heldBy: { pid: child.pid, nonce } });
    await end(child);
    const owner = got(await claim(path));
    expect(readdirSync(path)).toEqual(['owner.json']);
    owner.release();
  });

  it('is exactly one of several competing processes, whether the folder had no owner, a dead one or a damaged record', async () => {
    const record = dead();
    const folders = Array.from({ length: 60 }, (_, i) => {
      const path = folder();
      if (i < 2) writeFileSync(ownerFile(path), '');
      else if (i % 2) writeFileSync(ownerFile(path), record);
      return path;
    });
    const all = Array.from({ length: 4 }, () => claiming(...folders));
    for (const { child } of all) child.stdin!.write('\n');
    const said = await Promise.all(all.map((a) => a.said));
    for (const [i, path] of folders.entries()) {
      const winners = said.map((s) => s[i]).filter((word) => word !== 'alive');
      expect(winners).toEqual([ownerOf(path)?.nonce]);
      expect(readdirSync(path)).toEqual(['owner.json']);
    }
  });

  it.each([
    ['{"pid":0,"host":"here","nonce":"aurora","at":1}'],
    ['{"pid":-5,"host":"here","nonce":"aurora","at":1}'],
    ['{"pid":"42","host":"here","nonce":"aurora"}'],
    ['{"nonce":"aurora"}'],
    ['{"pid":42,"host":'],
    ['\0\0\0\0'],
  ])('is not replaced without asking if its record is damaged: %j', async (text) => {
    const path = folder();
    writeFileSync(ownerFile(path), text);
    expect(await claim(path)).toMatchObject({ as: 'unseen', heldBy: { damaged: true } });
    const me = { ...thisProcess(), nonce: 'status', at: Date.now() };
    expect(await claim(path, { earlier: me })).toMatchObject({ as: 'alive', heldBy: { pid: process.pid } });
    expect(await heldBy(path, me)).toMatchObject({ as: 'alive', heldBy: { pid: process.pid } });
    expect(readFileSync(ownerFile(path), 'utf8')).toBe(text);
    got(await claim(path, { earlier: JSON.parse(dead()) })).release();
    writeFileSync(ownerFile(path), text);
    got(await claim(path, { takeOver: async () => true })).release();
  });

  it('keeps its folder while its record is damaged', async () => {
    const path = folder();
    const owner = got(await claim(path));
    writeFileSync(ownerFile(path), '{"pid":0,"host":"here","nonce":"another","at":1}');
    expect(stillOwned(join(path, 'status.json'))).toBe(true);
    owner.release();
  });

  it('can be replaced if it was killed while it took over', async () => {
    const path = folder();
    writeFileSync(ownerFile(path), dead());
    writeFileSync(join(path, '.owner-dead.json'), dead({ nonce: 'second' }));
    const owner = got(await claim(path));
    expect(readdirSync(path)).toEqual(['owner.json']);
    expect(ownerOf(path)?.nonce).toBe(owner.nonce);
    owner.release();
  });

  it('is replaced only on request if it is on another machine', async () => {
    const path = folder();
    writeFileSync(ownerFile(path), dead(elsewhere));
    const asked: string[] = [];
    const takeOver = (answer: boolean) => (found: { nonce: string }) => {
      asked.push(found.nonce);
      return Promise.resolve(answer);
    };
    expect(await claim(path)).toMatchObject({ as: 'unseen', heldBy: elsewhere });
    expect(await claim(path, { takeOver: takeOver(false) })).toMatchObject({ as: 'unseen' });
    got(await claim(path, { takeOver: takeOver(true) })).release();
    expect(asked).toEqual(['dead', 'dead']);
  });

  it('is replaced if Slurm has restarted its job, but not by another task of that job', async () => {
    const slurm = { SLURM_JOB_ID: '7', SLURM_CLUSTER_NAME: 'c' };
    const job = schedulerJob(slurm);
    expect(job).toEqual({ id: 'slurm:c:7', restarts: 0 });
    expect(schedulerJob({})).toBeUndefined();
    const env = { ...process.env };
    try {
      Object.assign(process.env, slurm, { SLURM_RESTART_COUNT: '1' });
      for (const [restarts, replaced] of [
        [1, false],
        [2, false],
        [0, true],
      ] as const) {
        // Slurm may have lost sight of it while it runs, elsewhere or here.
        for (const place of [elsewhere, { pid: process.pid }]) {
          const path = folder();
          writeFileSync(ownerFile(path), dead({ ...place, job: { ...job, restarts } }));
          const result = await claim(path);
          expect('owner' in result).toBe(replaced);
          if (!('owner' in result)) continue;
          expect(existsSync(successorFile(path, 'dead'))).toBe(true);
          result.owner.release();
        }
      }
    } finally {
      process.env = env;
    }
  });

  it('is replaced by a later pod of its index of a Kubernetes job, whose counts the manifest passes on', () => {
    const pod = { AURORA_JOB: 'uid', JOB_COMPLETION_INDEX: '3' };
    expect(schedulerJob({ ...pod, AURORA_JOB_FAILURES: '0', AURORA_JOB_IGNORED_FAILURES: '' })).toEqual({
      id: 'kubernetes:uid:3',
      restarts: 0,
    });
    expect(
      schedulerJob({ ...pod, AURORA_JOB_FAILURES: '1', AURORA_JOB_IGNORED_FAILURES: '2' }),
    ).toMatchObject({ restarts: 3 });
    expect(schedulerJob({ JOB_COMPLETION_INDEX: '3' })).toBeUndefined();
  });

  it("is taken from the run's status if the run predates owner.json", async () => {
    const path = folder();
    const earlier = { ...thisProcess(), nonce: 'n', at: Date.now() };
    expect(await claim(path, { earlier })).toMatchObject({ as: 'alive' });
    got(await claim(path, { earlier: { ...earlier, started: 1 } })).release();
  });

  it('requires an existing folder', async () => {
    const path = join(folder(), 'nothing');
    await expect(claim(path)).rejects.toMatchObject({ kind: 'run', message: `There is no folder ${path}.` });
    expect(existsSync(path)).toBe(false);
  });
});

describe('a writer', () => {
  it('stops when it finds another owner', async () => {
    const path = folder();
    const owner = got(await claim(path));
    mkdirSync(join(path, 'adapter'));
    const file = join(path, 'adapter', 'a.json');
    writeAtomic(file, 'mine');
    writeFileSync(ownerFile(path), dead({ pid: 4242, host: 'other-host' }));
    expect(() => writeAtomic(file, 'late')).toThrow(`Process 4242 on other-host has taken over ${path}.`);
    expect(() => requireOwned(path)).toThrow(expect.objectContaining({ kind: 'owned', exitCode: 24 }));
    expect(stillOwned(file)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(join(path, 'adapter'))).toEqual(['a.json']);
    // Files beside the folder have no owner.
    writeAtomic(`${path}-beside`, 'x');
    rmSync(`${path}-beside`);
    owner.release();
    expect(ownerOf(path)?.pid).toBe(4242);
  });

  it('restores a missing owner record and does not recreate a folder that was moved', async () => {
    const path = join(folder(), 'run');
    mkdirSync(path);
    const owner = got(await claim(path));
    rmSync(ownerFile(path));
    writeAtomic(join(path, 'a'), '1');
    expect(ownerOf(path)?.nonce).toBe(owner.nonce);
    renameSync(path, `${path}-moved`);
    requireOwned(join(path, 'a'));
    expect(existsSync(path)).toBe(false);
    renameSync(`${path}-moved`, path);
    owner.release();
  });
});
