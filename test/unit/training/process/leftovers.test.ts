import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { thisProcess } from '../../../../src/files/processes';
import { temporaryBeside } from '../../../../src/files/temporary';
import { removeLeftovers, workFolder } from '../../../../src/training/process/leftovers';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'aurora-run-'));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

/** Leaves a temporary file of a process that has ended. */
function leave(place: string): void {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const path = join(run, place);
  mkdirSync(dirname(path), { recursive: true });
  const name = basename(temporaryBeside(path)).replace(`-${process.pid}-`, `-${pid}-`);
  writeFileSync(join(dirname(path), name), 'half');
}

it('a command that works in a run removes the leftovers of a killed command', () => {
  leave('predictions/step-000024.json');
  leave('study/step-000024.json');
  workFolder(run, 'predictions').remove();
  expect(readdirSync(run, { recursive: true }).sort()).toEqual(['predictions', 'study']);
});

it('removes leftovers of killed processes from a run, and nothing else', () => {
  const places = [
    'status.json',
    'adapter/best/aurora.json',
    'activations/step-000001.bin',
    'export/x',
    'export',
  ];
  for (const place of places) leave(place);
  const kept = ['events.jsonl', 'adapter/best/adapter_model.safetensors', 'notes.tmp', '.mine'];
  for (const name of kept) writeFileSync(join(run, name), '');
  removeLeftovers(run);
  const left = readdirSync(run, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  expect(left.map((e) => join(e.parentPath, e.name)).sort()).toEqual(kept.map((n) => join(run, n)).sort());
});

it('removes the graphs of a run whose trainer was killed after its result, and of no other', () => {
  const status = { nonce: 'n', host: 'h', step: 1, steps: 1, startedAt: 1, heartbeat: 1 };
  mkdirSync(join(run, 'graph', 'deep'), { recursive: true });
  writeFileSync(join(run, 'status.json'), JSON.stringify({ ...status, ...thisProcess(), state: 'running' }));
  // It may be resumed.
  removeLeftovers(run);
  expect(readdirSync(run)).toContain('graph');
  writeFileSync(join(run, 'result.json'), '{"steps":1}');
  // Its trainer is about to remove them.
  removeLeftovers(run);
  expect(readdirSync(run)).toContain('graph');
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(
    join(run, 'status.json'),
    JSON.stringify({ ...status, ...thisProcess(), pid, state: 'running' }),
  );
  removeLeftovers(run);
  expect(readdirSync(run)).not.toContain('graph');
});
