import type { MetricName } from '../../experiment/metrics';
import type { Section } from '../study';
import { ablation, peakMemory, stepTime, mergedForms } from './bars';
import type { Figure } from './figure';
import { sigmaShares } from './sigma-share';
import { deltaPath, spectrum } from './update-figures';
import { rankSweep, trade } from './trade';

export const FIGURES = ['trade', 'ranks', 'ablations', 'time', 'memory', 'merged', 'nonlinearity'] as const;
export type FigureName = (typeof FIGURES)[number];

/** A data set's figure by name; undefined if the runs have no data for it. */
export function figureOf(
  name: FigureName,
  section: Section,
  metric: MetricName,
  width: number,
): Figure | undefined {
  switch (name) {
    case 'trade':
      return trade(section, metric, width);
    case 'ranks':
      return rankSweep(section, metric, width);
    case 'ablations':
      return ablation(section, metric, width);
    case 'time':
      return stepTime(section, width);
    case 'memory':
      return peakMemory(section, width);
    case 'merged':
      return mergedForms(section, metric, width);
    case 'nonlinearity':
      return sigmaShares(section, width);
  }
}

/** Figures of a group's first run: the path of its ΔW, and its singular values. */
export function deltaFigures(section: Section, label: string, width: number): Figure[] {
  const run = section.groups.find((g) => g.label === label)?.runs.find((r) => r.geometry);
  if (!run) return [];
  return [deltaPath(run, label, width), spectrum(run, label, width)].filter((f) => f !== undefined);
}
