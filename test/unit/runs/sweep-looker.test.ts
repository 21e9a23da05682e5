import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runPaths } from '../../../src/runs/layout';
import { TrialLooker } from '../../../src/runs/sweep/look';
import type { TrialRecord } from '../../../src/runs/sweep/record';
import { evaluated, finished, makeRun, started } from '../extension/run-maker';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();
const record: TrialRecord = { id: 't', number: 1, settings: {}, planned: true };

it('reads the folder of a trial that has ended once, for the plan, each look and the report', () => {
  const run = makeRun(join(folder(), 'demo.aurora.json'), {
    events: [started, evaluated(120, 0.9), finished(120, 0.9)],
    status: { state: 'finished', step: 120 },
    result: { steps: 120, outcome: 'finished' },
  });
  const settle = () => utimesSync(run, 1000, 1000);
  settle();
  const looker = new TrialLooker();
  const first = looker.look(record, run);
  expect(first.state).toBe('finished');
  // A file of it that is gone would be missed if it were read again.
  rmSync(runPaths(run).result);
  settle();
  expect(looker.look(record, run)).toBe(first);
  // The sweep's record is read twice, before and after this process owns the sweep.
  const again = { ...record };
  expect(looker.look(again, run)).toEqual({ ...first, record: again });
  expect(looker.look(again, run).record).toBe(again);
  utimesSync(run, 2000, 2000);
  expect(looker.look(record, run).state).not.toBe('running');
});
