import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readScalars } from '../../src/runs/curve/scalars';
import type { Shown } from './driver/dashboard';

/** Columns of scalars.bin that charts draw unchanged, by the name of the chart. */
const CHARTS = ['loss', 'learningRate', 'gradientNorm', 'memory'];

/** The run folder's values for the step that a dashboard shows, in the same form. */
export function journalAt(run: string, { step, values }: Shown): Shown {
  const scalars = readScalars(run);
  const row = scalars.column('step')!.lastIndexOf(step);
  const held = Object.keys(values)
    .filter((chart) => CHARTS.includes(chart))
    .map((chart) => [chart, scalars.column(chart)?.[row]]);
  return { step, values: Object.fromEntries(held) as Record<string, number> };
}

/** The values of a dashboard that the run folder can confirm. */
export const comparable = ({ step, values }: Shown): Shown => ({
  step,
  values: Object.fromEntries(Object.entries(values).filter(([chart]) => CHARTS.includes(chart))),
});

export const lastStep = (run: string): number => Number(readScalars(run).column('step')?.at(-1) ?? 0);

export const statusOf = (run: string): { state: string; pid: number; step: number } =>
  JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as { state: string; pid: number; step: number };

/** Ends the trainer of a run that a test abandons. Otherwise it continues until its lease expires. */
export function endTrainer(run: string): void {
  if (!existsSync(join(run, 'status.json')) || statusOf(run).state !== 'running') return;
  try {
    process.kill(statusOf(run).pid, 'SIGKILL');
  } catch {
    // Already ended.
  }
}
