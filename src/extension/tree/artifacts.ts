import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runPaths, stepOfName } from '../../runs/layout';
import { bestEvaluation } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { bytes, formatMetric, METRIC_NAMES } from './format';
import { metricOf, type Row, type RowContext } from './run-row';

/** What lies in a run folder to go on from or to take away. */
export interface Artifacts {
  /** Steps, newest first. */
  checkpoints: number[];
  adapters: { which: 'best' | 'last'; size: number }[];
}

/** As the disk has them: the trainer removes old checkpoints. */
export async function readArtifacts(run: string): Promise<Artifacts> {
  const paths = runPaths(run);
  const names = await readdir(paths.checkpoints).catch(() => []);
  const checkpoints = names.map(stepOfName).filter((step) => step !== undefined);
  const adapters = await Promise.all(
    (['best', 'last'] as const).map(async (which) => {
      const file = join(paths.adapter, which, 'adapter_model.safetensors');
      const size = await stat(file).then(
        (s) => s.size,
        () => undefined,
      );
      return size === undefined ? [] : [{ which, size }];
    }),
  );
  return { checkpoints: checkpoints.sort((a, b) => b - a), adapters: adapters.flat() };
}

export function checkpointRow(entry: RunEntry, step: number, { t, trusted }: RowContext): Row {
  const metric = entry.run && metricOf(entry.run);
  const evaluation = entry.run?.events.find((e) => e.kind === 'evaluation' && e.step === step);
  const parts: string[] = [];
  if (metric && evaluation?.kind === 'evaluation')
    parts.push(`${formatMetric(metric, evaluation.metrics[metric])} ${METRIC_NAMES[metric]}`);
  if (entry.run && bestEvaluation(entry.run)?.step === step) parts.push(t('best'));
  const label = t('Checkpoint at step {0}', step);
  return {
    label,
    description: parts.join(' · '),
    icon: { id: 'save' },
    capabilities: ['checkpoint', ...(trusted ? ['canFork'] : []), 'canShowErrors', 'canReveal'],
    spoken: [label, ...parts].join(', '),
  };
}

export function adapterRow(which: 'best' | 'last', size: number, { t }: RowContext): Row {
  const label = which === 'best' ? t('Best adapter') : t('Last adapter');
  const description = t('PEFT files · {0}', bytes(size));
  return {
    label,
    description,
    icon: { id: 'package' },
    capabilities: ['adapter', 'canShowErrors', 'canReveal'],
    spoken: `${label}, ${description}`,
  };
}
