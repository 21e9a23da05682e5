import { basename } from 'node:path';
import { t } from '../../base/l10n';
import { settingsNames } from '../../experiment/run-names';
import { labelOfId, runLabel } from '../../runs/run-labels';
import type { ExperimentEntry } from '../runs/store';
import type { Row, RowContext } from '../words/run-row';
import type { Held, QueuedRun } from './run-queue';

/** The row of a queued run or sweep. `position` is from 1. */
export function queuedRow(
  label: string,
  { kind, position, held }: Pick<QueuedRun, 'kind'> & { position: number; held: Held | undefined },
  { trusted }: RowContext,
): Row {
  const description =
    held === 'earlier'
      ? t('queued in an earlier window')
      : held === 'failed'
        ? t('could not be started')
        : position === 1
          ? t('queued · next')
          : t('queued · number {0}', position);
  return {
    // A narrow side bar cuts the end.
    lead: `#${position}`,
    label,
    description,
    icon: held === 'failed' ? { id: 'warning', color: 'problemsWarningIcon.foreground' } : { id: 'clock' },
    capabilities: [
      'queued',
      'canUnqueue',
      ...(trusted ? ['canRunNow'] : []),
      ...(trusted && held ? ['canContinueQueue'] : []),
    ],
    spoken: `${kind === 'run' ? t('Run {0}', label) : label}, ${description}`,
  };
}

type Known = Pick<ExperimentEntry, 'file' | 'runs'>;

/**
 * Names of queued runs by id: of new ones from the settings in which they differ from their experiment's runs and each
 * other.
 */
export function queuedNames(items: readonly QueuedRun[], experiments: readonly Known[]): Map<string, string> {
  const names = new Map(items.map((item) => [item.id, workName(item, experiments)]));
  const fresh = items.filter((item) => item.kind === 'run');
  for (const file of new Set(fresh.map((item) => item.file))) {
    const own = fresh.filter((item) => item.file === file);
    const runs = experiments.find((e) => e.file === file)?.runs ?? [];
    const specs = runs.flatMap((r) => (r.run && !r.trial ? [r.run.spec] : []));
    const all = settingsNames([...specs, ...own.map((item) => item.spec)]);
    own.forEach((item, i) => names.set(item.id, all[specs.length + i]));
  }
  return names;
}

function workName(item: QueuedRun, experiments: readonly Known[]): string {
  const nameOf = (folder: string) => {
    const run = experiments.flatMap((e) => e.runs).find((r) => r.folder === folder);
    return run ? runLabel(run) : labelOfId(basename(folder));
  };
  switch (item.kind) {
    case 'run':
      return item.spec.name;
    case 'resume':
      return t('Resume {0}', nameOf(item.run));
    case 'fork':
      return t('Fork {0} at step {1}', nameOf(item.run), item.step);
    case 'sweep':
      return t('Sweep');
    case 'claim':
      return t('Claim');
  }
}
