import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ownerFile } from '../../../../src/files/fence';
import { temporaryBeside } from '../../../../src/files/temporary';
import { runPaths } from '../../../../src/runs/layout';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { writeStatus } from '../../../../src/runs/status';
import { completeRun, completeUnowned } from '../../../../src/training/run/complete';
import { newStatus } from '../../../../src/training/process/pulse';
import { temporaryFolders } from '../../runs/folder';
import { specText } from '../../specs';

const folder = temporaryFolders();

/** A run that was killed after writing its result and before recording its end. */
function killedRun(): string {
  const run = folder();
  writeFileSync(runPaths(run).spec, specText('tiny'));
  writeFileSync(runPaths(run).events, '');
  const metrics = { loss: 0.5, accuracy: 0.5, f1: 0.5, matthews: 0, examples: 8 };
  const result = { outcome: 'finished', steps: 9, best: { step: 9, ...metrics }, last: metrics, seconds: 1 };
  writeFileSync(runPaths(run).result, JSON.stringify(result));
  writeStatus(run, { ...newStatus('running'), step: 8 });
  return run;
}

it('leaves nothing of a finished run that its trainer was still writing', () => {
  const run = killedRun();
  completeRun(run);
  const { pid: gone } = spawnSync(process.execPath, ['--version']);
  const path = temporaryBeside(runPaths(run).status).replace(`-${process.pid}-`, `-${gone}-`);
  writeFileSync(path, 'half');
  completeRun(run);
  expect(existsSync(path)).toBe(false);
});

describe('a finished run with a status that is still running', () => {
  it('is completed by the sweep that finds it', async () => {
    const run = killedRun();
    await completeUnowned(run);
    const { status, events } = readRunSummary(run);
    expect(status).toMatchObject({ state: 'finished', step: 9 });
    expect(events.map((e) => e.kind)).toEqual(['finished']);
  });

  it('is left unchanged, without ending the sweep, if the disk accepts no owner', async () => {
    const run = killedRun();
    mkdirSync(ownerFile(run));
    await completeUnowned(run);
    expect(readRunSummary(run).status).toMatchObject({ state: 'running' });
    rmSync(ownerFile(run), { recursive: true });
    await completeUnowned(run);
    expect(readRunSummary(run).status).toMatchObject({ state: 'finished' });
  });
});
