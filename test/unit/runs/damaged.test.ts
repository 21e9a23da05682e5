import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { rowsText } from '../../../src/cli/commands/runs-report';
import { toolRun } from '../../../src/extension/tools/tool-run';
import { TrackedRun } from '../../../src/extension/runs/tracked-run';
import { readRunSummary } from '../../../src/runs/run-summary';
import { PATIENT } from '../../../src/runs/run-files';
import { studyRun } from '../../../src/runs/run-in-study';
import { checkSweep, trialOf, type SweepRecord } from '../../../src/runs/sweep/record';
import { readForTable, runSource } from '../../../src/runs/runs-table';
import { tableOf } from '../../../src/study/runs-table/runs-columns';
import { runFields } from '../../../src/study/runs-table/fields';
import { scratchFolder } from '../../scratch';
import { variants } from '../variants';
import { reportFiles } from '../../../src/study/study-report';
import { studyOf } from '../../../src/study/study';
import { table } from '../../../src/tools/comparison';

const folder = scratchFolder('damaged-runs');
const FINISHED = resolve('test/fixtures/runs/finished');

const runs = join(folder, 'runs');
const [good, bad] = ['good', 'bad'].map((name) => join(runs, name)) as [string, string];
for (const run of [good, bad]) cpSync(FINISHED, run, { recursive: true });

/** Every way in which many runs are read, beside a damaged one. Throws if one of them fails; what the table says about the damaged one. */
async function readBoth(): Promise<string> {
  const read = readForTable([bad, good]);
  expect(read.map(({ run }) => run.state)[1]).toBe('finished');
  const { columns, rows } = tableOf(read.map(({ run }) => runFields(runSource(run))));
  expect(rows).toHaveLength(2);
  rowsText(
    columns,
    columns.map(({ key }) => key),
    rows,
    2,
    160,
  );
  const studied = await Promise.all(
    [bad, good].map(async (run) => {
      try {
        return await studyRun(readRunSummary(run), run, { files: PATIENT });
      } catch (e) {
        if (e instanceof AuroraError) return { folder: run, name: run, unfit: 'damaged' as const };
        throw e;
      }
    }),
  );
  reportFiles(studyOf(studied, {}), 'Study');
  const tracked = [bad, good].map((run) => new TrackedRun(run));
  for (const run of tracked) await run.look();
  const entries = tracked.flatMap(({ entry }) => (entry ? [entry] : []));
  expect(entries.map(({ folder }) => folder)).toEqual([bad, good]);
  table(entries.map(toolRun));
  return read[0]!.error?.message ?? '';
}

/** The JSON files of a run, and the lines of its journal. */
const FILES = ['spec.json', 'status.json', 'result.json', 'events.jsonl'];

describe('a damaged run', () => {
  it.each(FILES)('does not hide the others, whatever is in its %s', async (name) => {
    const path = join(bad, name);
    const text = readFileSync(path, 'utf8');
    const lines = name.endsWith('.jsonl') ? text.trimEnd().split('\n') : [text];
    let refused = 0;
    for (const [i, line] of lines.entries())
      for (const changed of variants(JSON.parse(line))) {
        writeFileSync(
          path,
          lines.map((other, at) => `${at === i ? JSON.stringify(changed) : other}\n`).join(''),
        );
        const message = await readBoth().catch((e: unknown) => {
          throw new Error(`${name} with ${JSON.stringify(changed)}: ${(e as Error).stack}`);
        });
        if (message !== '') refused++;
        if (message !== '') expect(message).toContain(path);
      }
    expect(refused).toBeGreaterThan(10);
    writeFileSync(path, text);
  });

  it.each(['', '{', '\0'.repeat(100), JSON.stringify('x'.repeat(10_000_000)), '['.repeat(200_000)])(
    'does not hide the others with a file of other bytes (%#)',
    async (bytes) => {
      for (const name of [
        'spec.json',
        'status.json',
        'result.json',
        'user.json',
        'trial.json',
        'inputs.json',
      ]) {
        const path = join(bad, name);
        const text = existsSync(path) ? readFileSync(path, 'utf8') : '{}';
        writeFileSync(path, bytes);
        await readBoth();
        writeFileSync(path, text);
      }
    },
  );

  it('keeps its place in the list with notes and a trial of any shape', async () => {
    for (const [name, value] of [
      ['user.json', { name: 'a', note: 'b', star: true, tags: ['c'] }],
      ['trial.json', { sweep: 's', trial: 't', number: 1, settings: { 'training.seed': 1 } }],
    ] as const)
      for (const changed of variants(value)) {
        writeFileSync(join(bad, name), JSON.stringify(changed));
        expect(await readBoth()).toBe('');
        trialOf(bad);
      }
  });
});

describe('a damaged sweep.json', () => {
  const record: SweepRecord = {
    version: 1,
    begun: 1,
    name: 'demo',
    overrides: [],
    spec: {
      type: 'grid',
      parameters: { 'training.seed': [1, 2] },
      seed: 0,
      pruning: { eta: 2, minSteps: 1 },
    },
    metric: 'accuracy',
    baseHash: 'hash',
    varied: ['training.seed'],
    room: { parallel: 1, threads: 1, engine: 'onnxruntime', device: 'cpu' },
    trials: [
      {
        id: 'a',
        number: 1,
        settings: { 'training.seed': 1 },
        run: 'run',
        launched: { pid: 1, at: 1 },
        planned: true,
      },
    ],
  };

  it('is refused by name, or has what its readers need', () => {
    let refused = 0;
    for (const changed of variants(record))
      try {
        const read = checkSweep('/sweep.json', changed);
        expect(read.trials.map(({ number, settings }) => [number, Object.keys(settings)])).toBeDefined();
      } catch (e) {
        expect(e).toBeInstanceOf(AuroraError);
        expect((e as AuroraError).message).toContain('/sweep.json');
        refused++;
      }
    expect(refused).toBeGreaterThan(80);
  });
});
