import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTemporary, temporaryBeside } from '../../../../src/files/temporary';
import { goneBelow } from '../../../../src/runs/held';
import { runPaths } from '../../../../src/runs/layout';
import { CPU } from '../../../../src/engine/place';
import { environment } from '../../../../src/training/process/environment';
import type { Checkpoint } from '../../../../src/training/checkpoint/checkpoint';
import {
  latestCheckpoint,
  putBackReplaced,
  readCheckpoint,
  saveCheckpoint,
  checkpointSteps,
} from '../../../../src/training/checkpoint/checkpoint-store';

let run: string;
const caught = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (e) {
    return e;
  }
};
beforeEach(() => (run = mkdtempSync(join(tmpdir(), 'aurora-checkpoint-'))));
afterEach(() => rmSync(run, { recursive: true, force: true }));

/** Values that only an exact copy preserves: the smallest, the largest, −0 and a rounded one. */
const odd = (seed: number) => Float32Array.of(seed, 2 ** -149, 3.4028235e38, -0, 1 / 3);

function checkpointAt(step: number, bestStep?: number): Checkpoint {
  return {
    state: {
      version: 1,
      step,
      secondsSpent: step * 0.5,
      last: null,
      examplesSeen: 32 * step,
      best:
        bestStep === undefined
          ? null
          : { step: bestStep, loss: 0.1, accuracy: 0.9, f1: 0.9, matthews: 0.8, examples: 10 },
      earlyStopping: { best: 1 / 3, reference: 0.25, withoutProgress: 2 },
      curve: { records: step, sha256: 'def' },
      specHash: 'abc',
      environment: environment(2, CPU),
    },
    parameters: new Map([['encoder.layer.0.query.A', odd(step)], ['head.bias', odd(-step)]]), // prettier-ignore
    optimizer: {
      step,
      firstMoments: new Map([['encoder.layer.0.query.A', odd(step + 0.5)]]),
      secondMoments: new Map([['encoder.layer.0.query.A', odd(step + 0.25)]]),
    },
    course: new Map([['importance', odd(step + 0.75)]]),
  };
}

const names = () => readdirSync(runPaths(run).checkpoints).sort();
const latest = () => {
  const warnings: string[] = [];
  return { step: latestCheckpoint(run, (w) => warnings.push(w))?.checkpoint.state.step, warnings };
};

describe('checkpoints', () => {
  it('are restored bit for bit', () => {
    const checkpoint = checkpointAt(120, 100);
    const path = saveCheckpoint(run, checkpoint);
    expect(path).toBe(join(run, 'checkpoints', 'step-000120'));
    expect(readdirSync(path).sort()).toEqual(['adapter.safetensors', 'optimizer.safetensors', 'state.json']);
    expect(readCheckpoint(path)).toEqual(checkpoint);
    expect(latestCheckpoint(run, () => {})).toEqual({ path, checkpoint });
  });

  it('are skipped if their parameters are not finite', () => {
    saveCheckpoint(run, checkpointAt(10));
    const dead = checkpointAt(20);
    dead.parameters.get('head.bias')![1] = NaN;
    saveCheckpoint(run, dead);
    expect(latest()).toEqual({
      step: 10,
      warnings: ['Skipped the checkpoint of step 20: its model had diverged.'],
    });
  });

  it('are kept if they are the newest two, the best, or one of up to twenty earlier ones', () => {
    const all = Array.from({ length: 40 }, (_, i) => 10 * (i + 1));
    for (const step of all) saveCheckpoint(run, checkpointAt(step, step < 30 ? undefined : 30));
    expect(names()[0]).toBe('step-000010');
    expect(names()).toContain('step-000030');
    expect(names().slice(-2)).toEqual(['step-000390', 'step-000400']);
    expect(names().length).toBeGreaterThan(10);
    expect(names().length).toBeLessThanOrEqual(23);
  });

  it('are restored if the trainer was killed while replacing one with the same step', () => {
    const aside = (path: string) => `${temporaryBeside(path)}.old`;
    saveCheckpoint(run, checkpointAt(10));
    const path = saveCheckpoint(run, checkpointAt(20));
    renameSync(path, aside(path));
    expect(latest().step).toBe(10);
    putBackReplaced(run);
    expect(latest()).toEqual({ step: 20, warnings: [] });
    // A leftover does not replace an existing checkpoint.
    cpSync(path, aside(path), { recursive: true });
    putBackReplaced(run);
    saveCheckpoint(run, checkpointAt(30));
    expect(names()).toEqual(['step-000010', 'step-000020', 'step-000030']);
  });

  it('do not exist in a new run', () => {
    expect(latest()).toEqual({ step: undefined, warnings: [] });
  });

  it.each([
    ['a shortened adapter', (p: string) => truncateSync(join(p, 'adapter.safetensors'), 90), 'SHA-256'],
    ['a flipped bit in the optimizer', flipLastBit, 'SHA-256'],
    ['no optimizer', (p: string) => rmSync(join(p, 'optimizer.safetensors')), 'missing'],
    ['no state', (p: string) => rmSync(join(p, 'state.json')), 'missing'],
    ['half a state', (p: string) => truncateSync(join(p, 'state.json'), 40), 'not valid JSON'],
    ['a state of null', (p: string) => writeFileSync(join(p, 'state.json'), 'null'), 'version'],
    ['an altered step', alter('"step": 20', '"step": 15'), 'is from step 15'],
    ['an altered count', alter('"examplesSeen": 640', '"examplesSeen": 641'), 'checksum differs'],
    ['an altered best', alter('"reference": 0.25', '"reference": 0.75'), 'checksum differs'],
    ['a lost checksum', alter('"checksum"', '"checksun"'), 'checksum differs'],
    ['a newer version', (p: string) => writeFileSync(join(p, 'state.json'), '{"version":2}'), 'version 2'],
  ])('are skipped with a warning for %s', (_, damage, why) => {
    saveCheckpoint(run, checkpointAt(10));
    damage(saveCheckpoint(run, checkpointAt(20)));
    const { step, warnings } = latest();
    expect(step).toBe(10);
    expect(warnings).toEqual([expect.stringContaining('Skipped the checkpoint of step 20')]);
    expect(warnings[0]).toContain(why);
  });

  it.each(['state.json', 'adapter.safetensors', 'optimizer.safetensors'])(
    'that lose %s while the folder of the run is being removed tell which path is gone',
    (name) => {
      const path = saveCheckpoint(run, checkpointAt(20));
      rmSync(join(path, name));
      expect(
        goneBelow(
          run,
          caught(() => readCheckpoint(path)),
        ),
      ).toBe(join(path, name));
    },
  );

  it('written only in part are ignored and removed with the next save', () => {
    const whole = saveCheckpoint(run, checkpointAt(10));
    for (const left of [temporaryBeside(whole), `${temporaryBeside(whole)}.old`])
      cpSync(whole, left, { recursive: true });
    expect(latest()).toEqual({ step: 10, warnings: [] });
    saveCheckpoint(run, checkpointAt(20));
    expect(names()).toEqual(['step-000010', 'step-000020']);
  });

  it('with the same or a later step are replaced or removed after a resume', () => {
    for (const step of [10, 20, 30]) saveCheckpoint(run, checkpointAt(step));
    mkdirSync(join(runPaths(run).checkpoints, 'step-000040'));
    truncateSync(join(runPaths(run).checkpoints, 'step-000030', 'state.json'), 3);
    expect(latest().step).toBe(20);
    saveCheckpoint(run, checkpointAt(30));
    expect(names()).toEqual(['step-000010', 'step-000020', 'step-000030']);
    expect(latest()).toEqual({ step: 30, warnings: [] });
  });

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'that the system does not let go, as NFS does not while somebody reads one, are out of sight and end no run',
    () => {
      saveCheckpoint(run, checkpointAt(20));
      const held = join(saveCheckpoint(run, checkpointAt(30)), 'held');
      mkdirSync(held);
      if (spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', held]).status !== 0) return;
      try {
        saveCheckpoint(run, checkpointAt(20));
        expect(checkpointSteps(run)).toEqual([20]);
        const left = () => readdirSync(runPaths(run).checkpoints).filter(isTemporary);
        expect(left()).toHaveLength(1);
        saveCheckpoint(run, checkpointAt(30));
        expect(checkpointSteps(run)).toEqual([20, 30]);
        spawnSync('umount', [join(runPaths(run).checkpoints, left()[0], 'held')]);
        saveCheckpoint(run, checkpointAt(40));
        expect(left()).toEqual([]);
      } finally {
        for (const name of readdirSync(runPaths(run).checkpoints))
          spawnSync('umount', [join(runPaths(run).checkpoints, name, 'held')]);
      }
    },
  );
});

function alter(from: string, to: string): (path: string) => void {
  return (path) => {
    const file = join(path, 'state.json');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(from);
    writeFileSync(file, text.replace(from, to));
  };
}

function flipLastBit(path: string): void {
  const file = join(path, 'optimizer.safetensors');
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(file, bytes);
}
