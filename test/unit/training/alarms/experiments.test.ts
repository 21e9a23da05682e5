import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ALARMS, alarmSentence, alarmsOf } from '../../../../src/protocol/alarms';
import { isAnyEvaluation } from '../../../../src/protocol/evaluations';
import { readRunSummary } from '../../../../src/runs/run-summary';
import { trainHere } from './train';

const FOLDER = 'test/fixtures/alarms';
const runs = mkdtempSync(join(tmpdir(), 'aurora-alarms-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

it('has an experiment and a documented threshold for each alarm', () => {
  const experiments = readdirSync(FOLDER).flatMap((name) => /^(.*)\.aurora\.json$/.exec(name)?.[1] ?? []);
  expect(experiments.sort()).toEqual([...ALARMS].sort());
  const documented = readFileSync('docs/alarms.md', 'utf8');
  for (const alarm of ALARMS) expect(documented).toContain(`| \`${alarm}\` |`);
});

it.each(ALARMS)('%s is raised within 50 steps or two evaluations', async (kind) => {
  const { run, shown } = await trainHere(join(FOLDER, `${kind}.aurora.json`), runs);
  const { events, result } = readRunSummary(run);
  const alarms = alarmsOf(events);
  const alarm = alarms.find((a) => a.alarm === kind)!;
  expect(alarms.map((a) => a.alarm)).toContain(kind);
  const evaluations = events.filter((e) => isAnyEvaluation(e) && e.step <= alarm.step).length;
  expect(alarm.step <= 50 || evaluations <= 2).toBe(true);
  expect(alarm.since).toBeLessThanOrEqual(alarm.step);
  // Once each, and the same wherever it is read.
  expect(new Set(alarms.map((a) => a.alarm)).size).toBe(alarms.length);
  expect(shown).toEqual(alarms);
  expect(result?.alarms).toEqual(alarms);
  expect(alarmSentence(alarm)).not.toMatch(/NaN|undefined|\{\d\}/);
});
