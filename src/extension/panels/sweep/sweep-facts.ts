import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import { own } from '../../../base/names';
import type { Settings } from '../../../experiment/sweep';
import type { SweepFacts } from '../../../protocol/panels/sweep';
import type { ClusterFile } from '../../../protocol/run-files/cluster';
import { claimOfSweep } from '../../../runs/claim-folder';
import { experimentName } from '../../../runs/layout';
import type { RunEntry, SweepEntry } from '../../runs/store';
import { clusterName, isUnfollowed, unreachableText } from '../../words/cluster/cluster-words';
import type { RowContext } from '../../words/run-row';
import { isIncomplete, phaseName } from '../../words/sweep-row';

/** The start of a sweep's id, or its part in a claim. */
export function sweepId(folder: string): string {
  const phase = claimOfSweep(folder)?.phase;
  return phase ? phaseName(phase) : basename(folder).slice(0, 4);
}

/** @param runs of its trials */
export function factsOf(
  sweep: SweepEntry,
  runs: readonly RunEntry[],
  { trusted, locale }: Pick<RowContext, 'trusted' | 'locale'>,
): SweepFacts {
  const { record, state, folder, experiment, cluster } = sweep;
  const { spec, room, varied, metric, ended } = record;
  const logarithmic = Object.entries(spec.parameters ?? {}).flatMap(([key, values]) =>
    !Array.isArray(values) && values.scale === 'log' ? [key] : [],
  );
  return {
    folder,
    ...(cluster && { on: clusterName(cluster) }),
    ...(cluster && noticeOf(sweep, cluster, locale)),
    experiment: experimentName(experiment),
    id: sweepId(folder),
    state,
    ...(ended && { ended: ended.message }),
    type: spec.type,
    metric,
    varied,
    logarithmic,
    ...(room && { parallel: room.parallel }),
    pruning: spec.pruning,
    search: spec.learningRateSearch,
    canResume: trusted && state !== 'running' && !claimOfSweep(folder) && isIncomplete(sweep, runs),
    ...(trusted && isUnfollowed(sweep) && !claimOfSweep(folder) && { canStop: true }),
  };
}

function noticeOf(sweep: SweepEntry, cluster: ClusterFile, locale: string): Pick<SweepFacts, 'notice'> {
  if (isUnfollowed(sweep)) {
    const [name, at] = [clusterName(cluster), new Date(cluster.at).toLocaleString(locale)];
    return {
      notice: claimOfSweep(sweep.folder)
        ? t(
            'No process is following the trials on {0}. The states shown are those of {1}; Continue Claim continues.',
            ...([name, at] as const),
          )
        : t(
            'No process is following the trials on {0}. The states shown are those of {1}; Resume Sweep continues.',
            ...([name, at] as const),
          ),
    };
  }
  return cluster.unreachable ? { notice: unreachableText(cluster, locale) } : {};
}

type Section = Readonly<Record<string, unknown>>;

/** The value of a dotted key in an experiment; undefined for a section or if there is none. */
export function plainValue(spec: object, key: string): unknown {
  const value = key
    .split('.')
    .reduce<unknown>(
      (at, part) => (typeof at === 'object' && at !== null ? own(at as Section, part) : undefined),
      spec,
    );
  return typeof value === 'object' && !Array.isArray(value) ? undefined : value;
}

/** True if the settings change a value, in its section or a part of it too. */
const touches = (settings: Settings, key: string): boolean =>
  Object.keys(settings).some((k) => k === key || key.startsWith(`${k}.`) || k.startsWith(`${key}.`));

/**
 * A trial's value of each setting that varies. A list may leave some as they are in the experiment: those are read from
 * the experiment of the same run, or of another one that does not change them either.
 *
 * @param spec of the trial's run, once it exists
 * @param others the trials whose runs exist
 */
export function settingsOf(
  settings: Settings,
  varied: readonly string[],
  spec: object | undefined,
  others: readonly { settings: Settings; spec: object }[],
): Settings {
  const found: Settings = { ...settings };
  for (const key of varied) {
    if (Object.hasOwn(settings, key)) continue;
    const from =
      spec ?? (touches(settings, key) ? undefined : others.find((o) => !touches(o.settings, key))?.spec);
    const value = from && plainValue(from, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}
