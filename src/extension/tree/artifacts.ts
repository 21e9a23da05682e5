import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formName, mergeName } from '../../protocol/export-forms';
import { parseRecord } from '../transfer/export-record';
import { t } from '../../base/l10n';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import { readIfThere } from '../../files/read';
import { runPaths, stepOfName } from '../../runs/layout';
import { EXPORT_FORMS, type ExportForm, type ExportRecord } from '../../protocol/export';
import { bestEvaluation, metricOf } from '../runs/label';
import type { RunPartNode } from '../runs/nodes';
import { keepsCheckpoints } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';
import { bytes } from '../words/format';
import type { Row, RowContext } from '../words/run-row';
import { executorName } from '../../experiment/cluster';

/** The contents of a run folder from which to continue or to export. */
export interface Artifacts {
  /** Steps, newest first. */
  checkpoints: number[];
  adapters: { which: 'best' | 'last'; size: number }[];
  /** By folder name, newest step first. */
  exports: { name: string; record: ExportRecord }[];
}

/** The artifacts on disk: the trainer removes old checkpoints. */
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
  const exports = await readExports(paths.exports);
  return { checkpoints: checkpoints.sort((a, b) => b - a), adapters: adapters.flat(), exports };
}

/** Their rows below a run's. */
export const artifactNodes = (
  folder: string,
  { adapters, exports, checkpoints }: Artifacts,
  run: RunEntry | undefined,
): RunPartNode[] => [
  ...adapters.map(({ which }) => ({ kind: 'adapter' as const, folder, which })),
  ...exports.map(({ name }) => ({ kind: 'export' as const, folder, name })),
  ...checkpoints.map((step) => ({ kind: 'checkpoint' as const, folder, step })),
  ...(checkpoints.length === 0 && run && keepsCheckpoints(run)
    ? [{ kind: 'checkpointsThere' as const, folder }]
    : []),
];

/** An export's record names its files. */
const MOST_BYTES = 2 ** 20;

/** Complete exports only; excludes folders added by hand, and exports being written or replaced. */
async function readExports(folder: string): Promise<Artifacts['exports']> {
  const names = await readdir(folder).catch(() => []);
  const shown = names.filter((name) => !name.startsWith('.'));
  const read = await Promise.all(
    shown.map(async (name) => {
      const bytes = await readIfThere(join(folder, name, 'export.json'), MOST_BYTES).catch(() => undefined);
      const record = bytes && parseRecord(jsonOf(bytes.toString('utf8')));
      return record ? [{ name, record }] : [];
    }),
  );
  const order = (form: ExportForm) => EXPORT_FORMS.indexOf(form);
  return read
    .flat()
    .sort((a, b) => b.record.step - a.record.step || order(a.record.form) - order(b.record.form));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function checkpointRow(entry: RunEntry, step: number, { trusted }: RowContext): Row {
  const metric = entry.run && metricOf(entry.run);
  const evaluation = entry.run?.events.find((e) => e.kind === 'evaluation' && e.step === step);
  const parts: string[] = [];
  if (metric && evaluation?.kind === 'evaluation')
    parts.push(
      `${formatMetric(metric, metricValue(evaluation.metrics, metric))} ${metricInfo(metric).label}`,
    );
  if (entry.run && bestEvaluation(entry.run)?.step === step) parts.push(t('best'));
  const label = t('Checkpoint at step {0}', step);
  return {
    label,
    description: parts.join(' · '),
    icon: { id: 'save' },
    capabilities: [
      'checkpoint',
      ...(trusted ? ['canFork', 'canExport', 'canPlay'] : []),
      'canShowErrors',
      'canReveal',
    ],
    spoken: [label, ...parts].join(', '),
  };
}

export function checkpointsThereRow({ cluster }: RunEntry): Row {
  const label = t('Bring Checkpoints');
  const description = cluster ? t('on {0}', executorName(cluster.executor)) : '';
  return {
    label,
    description,
    icon: { id: 'cloud-download' },
    capabilities: [],
    spoken: [label, description].filter(Boolean).join(', '),
  };
}

export function adapterRow(which: 'best' | 'last', size: number, { trusted }: RowContext): Row {
  const label = which === 'best' ? t('Best adapter') : t('Last adapter');
  const description = t('PEFT files · {0}', bytes(size));
  return {
    label,
    description,
    icon: { id: 'package' },
    capabilities: ['adapter', ...(trusted ? ['canExport', 'canPlay'] : []), 'canShowErrors', 'canReveal'],
    spoken: `${label}, ${description}`,
  };
}

export function exportRow({ form, merge, refinement, step, metrics, drop }: ExportRecord): Row {
  const label = formName(form);
  const { metric } = drop;
  const value = `${formatMetric(metric, metricValue(metrics.exported, metric))} ${metricInfo(metric).label}`;
  const how = refinement ? [t('refined')] : merge ? [mergeName(merge)] : [];
  const parts = [value, t('step {0}', step), ...how];
  return {
    label,
    description: parts.join(' · '),
    icon: { id: 'export' },
    capabilities: ['export', 'canOpenCard', 'canReveal'],
    spoken: [t('Export: {0}', label), ...parts].join(', '),
  };
}
