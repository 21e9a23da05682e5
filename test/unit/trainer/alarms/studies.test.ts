import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { alarmsIn, type RecordedRun } from './recorded';

const RUNS = JSON.parse(readFileSync('test/fixtures/alarms/studies.json', 'utf8')) as RecordedRun[];

it.each(RUNS.map((run) => [run.name, run] as const))('raise no alarm: %s', (_, run) => {
  expect(run.steps.length).toBeGreaterThan(100);
  expect(run.evaluations.length).toBeGreaterThan(0);
  expect(alarmsIn(run)).toEqual([]);
});
