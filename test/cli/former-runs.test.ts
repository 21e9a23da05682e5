import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sortedJson } from '../../src/base/sorted-json';
import type { Experiment } from '../../src/experiment/experiment';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ExportRecord } from '../../src/protocol/export';
import { specHash } from '../../src/trainer/checkpoint/spec-hash';
import { readRun } from '../read-run';
import { Lab } from './lab';

const RUNS = resolve('test/fixtures/runs');
const VERSIONS = readdirSync(RUNS).filter((name) => /^\d/.test(name));

/** Where the runs were trained, and the machine's name. */
const FORMER = { folder: '/lab', host: '"vm"' };

describe.each(VERSIONS)('a run of an earlier version: %s', (version) => {
  const lab = new Lab();
  const run = (name: string) => lab.path(`runs/${name}`);
  beforeAll(() => {
    for (const name of readdirSync(join(RUNS, 'lab'))) copyFileSync(join(RUNS, 'lab', name), lab.path(name));
    cpSync(join(RUNS, version), lab.path('runs'), { recursive: true });
    for (const name of ['finished', 'killed']) move(run(name), lab.folder);
  });
  afterAll(() => lab.remove());

  it('is read whole', () => {
    const { spec, events, result, status } = readRun(run('finished'));
    expect([spec.adapter.method, status?.state, status?.step]).toEqual(['aurora', 'finished', 24]);
    expect(events.flatMap((e) => (e.kind === 'evaluation' ? [e.step] : []))).toEqual([8, 16, 24]);
    expect((result as unknown as { best: { accuracy: number } }).best.accuracy).toBe(1);
  });

  it('resumes to the end that it had without being killed', () => {
    const resumed = lab.run('train', '--resume', run('killed'), '--device', 'cpu');
    expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining('error')]);
    const [trained, whole] = ['killed', 'finished'].map(
      (name) => readSafetensors(join(run(name), 'adapter/last/adapter_model.safetensors')).tensors,
    );
    expect([...trained.keys()].sort()).toEqual([...whole.keys()].sort());
    // Another processor may add in another order.
    for (const [name, { data }] of whole)
      for (const [i, value] of data.entries()) expect(trained.get(name)!.data[i]).toBeCloseTo(value, 4);
  });

  it('is exported with the answers that it had', () => {
    const out = lab.path('exported');
    const exported = lab.run('export', run('finished'), '--as', 'onnx-dynamic', '--out', out);
    expect([exported.code, exported.err]).toEqual([0, expect.not.stringContaining('error')]);
    const record = JSON.parse(readFileSync(join(out, 'export.json'), 'utf8')) as ExportRecord;
    expect(record.metrics.exported).toMatchObject({ accuracy: 1 });
    const { best } = readRun(run('finished')).result as unknown as { best: { loss: number } };
    expect(record.metrics.exported.loss).toBeCloseTo(best.loss, 4);
  });
});

/** As if it had been trained in `folder` on this machine. */
function move(run: string, folder: string): void {
  const texts = readdirSync(run, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.jsonl?$/.test(name))
    .map((name) => join(run, name));
  for (const path of texts) {
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replaceAll(`"${FORMER.folder}`, `"${folder}`).replaceAll(FORMER.host, JSON.stringify(hostname())),
    );
  }
  const hash = specHash(JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8')) as Experiment);
  for (const path of texts.filter((name) => name.endsWith('state.json'))) {
    const state = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    delete state.checksum;
    state.specHash = hash;
    state.checksum = createHash('sha256').update(sortedJson(state)).digest('hex');
    writeFileSync(path, JSON.stringify(state));
  }
}
