import { t } from '../base/l10n';
import { count } from '../base/number-text';
import { isNonlinear } from '../experiment/methods';
import { hasGeometry } from './geometry';
import type { Section } from './study';

/** Data that a study would show but the run folders do not contain yet. One command measures all of it. */
export interface Missing {
  what: 'merged' | 'nonlinearity' | 'examples' | 'geometry';
  /** Run folders. */
  runs: string[];
}

/** The data that the chosen groups' runs lack. */
export function missingOf(sections: readonly Section[]): Missing[] {
  const runs = sections.flatMap((s) => s.groups.filter((g) => g.chosen).flatMap((g) => g.runs));
  const all: Missing[] = [
    { what: 'merged', runs: runs.filter((r) => !r.forms).map((r) => r.folder) },
    {
      what: 'nonlinearity',
      runs: runs.filter((r) => !r.nonlinearity && isNonlinear(r.spec.adapter)).map((r) => r.folder),
    },
    {
      what: 'examples',
      runs: runs.filter((r) => !r.examples && r.on !== 'evaluations').map((r) => r.folder),
    },
    {
      what: 'geometry',
      runs: runs.filter((r) => !r.geometry && hasGeometry(r.spec.adapter)).map((r) => r.folder),
    },
  ];
  return all.filter((m) => m.runs.length > 0);
}

/** The missing data and the consequence. The caller adds the next step: a button, or a command. */
export function missingWords({ what, runs }: Missing): string {
  const n = count(runs.length);
  const isOne = runs.length === 1;
  switch (what) {
    case 'merged':
      return isOne
        ? t('For 1 run, the merged forms have not been measured.')
        : t('For {0} of the runs, the merged forms have not been measured.', n);
    case 'nonlinearity':
      return isOne
        ? t('For 1 run, the share of the gain that needs σ has not been measured.')
        : t('For {0} of the runs, the share of the gain that needs σ has not been measured.', n);
    case 'examples':
      return isOne
        ? t('For 1 run, per-example predictions are not stored, so this run cannot be tested over examples.')
        : t(
            'For {0} of the runs, per-example predictions are not stored, so these runs cannot be tested over examples.',
            n,
          );
    case 'geometry':
      return isOne
        ? t('For 1 run, the principal components and singular values of ΔW have not been computed.')
        : t(
            'For {0} of the runs, the principal components and singular values of ΔW have not been computed.',
            n,
          );
  }
}
