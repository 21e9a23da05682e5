import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { identify, sameWriting } from '../../src/files/identity';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { CLI, Lab } from './lab';

/**
 * An in-memory file system has no write-back, so a second write to the same mapped page does not change its
 * time.
 */
const MEMORY = '/dev/shm';

/** Writes the middle byte of a file unchanged, then changes it when it receives a line. */
const WRITER = `
import mmap, sys
f = open(sys.argv[1], 'r+b')
m = mmap.mmap(f.fileno(), 0)
at = len(m) // 2
m[at] = m[at]
print('mapped', flush=True)
sys.stdin.readline()
m[at] ^= 1
print('written', flush=True)
sys.stdin.readline()
`;

function isPossible(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    return process.platform === 'linux' && spawnSync('python3', ['-c', 'import mmap']).status === 0;
  } catch {
    return false;
  }
}

describe.runIf(isPossible())('a model that is written through a shared mapping during training', () => {
  let lab: Lab;
  let original: Buffer;
  const children: ReturnType<typeof spawn>[] = [];
  beforeAll(() => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = MEMORY;
    lab = new Lab();
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    original = readFileSync(lab.path('model.onnx'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    writeFileSync(lab.path('model.onnx'), original);
  });
  afterAll(() => lab.remove());

  /** A run with a model that changes after the first checkpoint, and its exit. */
  async function changed(checkpoint: string, ...settings: string[]) {
    const model = lab.path('model.onnx');
    const writer = spawn('python3', ['-c', WRITER, model], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(writer);
    await once(writer.stdout, 'data');
    utimesSync(model, 1_600_000_000, 1_600_000_000);
    const before = identify(model)!;
    const out = lab.fresh('runs');
    const log = `${out}.log`;
    const options = settings.flatMap((s) => ['--set', s]);
    const child = spawn(process.execPath, [CLI, 'train', lab.experiment, '--out', out, ...options], {
      stdio: ['ignore', 'ignore', openSync(log, 'w')],
    });
    children.push(child);
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal)),
    );
    for (let i = 0; i < 20_000 && !lab.begun(out, `checkpoints/${checkpoint}`); i++) await wait(5);
    const [run] = lab.runs(out);
    const answer = once(writer.stdout, 'data');
    writer.stdin.write('\n');
    await answer;
    const isLate = existsSync(runPaths(run!).result);
    expect(sameWriting(identify(model)!, before)).toBe(true);
    return { run: run!, isLate, code: await ended, words: readFileSync(log, 'utf8') };
  }

  function refuses(run: string): void {
    const { events, result } = readRun(run);
    expect([result, events.at(-1)]).toEqual([undefined, expect.objectContaining({ error: 'inputs' })]);
    const again = lab.run('train', '--resume', run);
    expect([again.code, again.err]).toEqual([25, expect.stringMatching(/The model .+ has changed/)]);
  }

  it('stops the run at a later evaluation', async () => {
    // Much longer than the first read is delayed.
    const { run, code, words } = await changed(
      'step-000003',
      'training.epochs=100000',
      'training.evaluateEvery=20',
    );
    expect([code, words]).toEqual([25, expect.stringContaining('its timestamps do not show when')]);
    refuses(run);
  }, 180_000);

  it('is detected at the end at the latest, and the run gets no result', async () => {
    for (let epochs = 60; ; epochs *= 4) {
      const { run, isLate, code, words } = await changed(
        'step-000025',
        `training.epochs=${epochs}`,
        'training.evaluateEvery=1000000',
        'training.checkpointEvery=25',
      );
      if (isLate) continue;
      expect([code, words]).toEqual([25, expect.stringContaining('its timestamps do not show when')]);
      refuses(run);
      break;
    }
  }, 180_000);
});
