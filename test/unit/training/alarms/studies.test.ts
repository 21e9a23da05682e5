import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { AlarmKind } from '../../../../src/protocol/alarms';
import { alarmsIn, type RecordedRun } from './recorded';

const RUNS = JSON.parse(readFileSync('test/fixtures/alarms/studies.json', 'utf8')) as RecordedRun[];

/** Settings that exploded, which is why the rate search of demo.md rejected them; docs/alarms.md names them. */
const REJECTED: Record<string, AlarmKind[]> = {
  'demo.md: Debian sections, LoRA r=16, 3e-2, seed 1': ['loss-above-start', 'no-better-than-baseline'],
  'demo.md: SpamAssassin, LoRA r=8, 3e-2, seed 1': ['loss-above-start', 'no-better-than-baseline'],
  'demo.md: SpamAssassin, LoRA r=16, 3e-2, seed 1': ['loss-above-start', 'overfitting'],
  'demo.md: Debian sections, LoRA r=8, 3e-2, seed 1, all rows': ['loss-above-start'],
  'demo.md: Debian sections, LoRA r=16, 3e-2, seed 1, all rows': ['loss-above-start'],
  'demo.md: SpamAssassin, LoRA r=8, 3e-2, seed 1, all rows': ['loss-jump', 'loss-above-start'],
  'demo.md: SpamAssassin, LoRA r=16, 3e-2, seed 1, all rows': [
    'loss-above-start',
    'loss-jump',
    'gradient-explosion',
  ],
};

it.each(RUNS.map((run) => [run.name, run] as const))('raises no alarm, or is rejected: %s', (name, run) => {
  const raised = alarmsIn(run).map(({ alarm }) => alarm);
  expect(run.loss.length).toBeGreaterThan(30);
  expect(run.evaluations.length).toBeGreaterThan(0);
  expect(raised).toEqual(run.rejected ? (REJECTED[name] ?? []) : []);
});

it('has the rejected settings that it excuses', () =>
  expect(RUNS.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(REJECTED))));
