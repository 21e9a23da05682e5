import { t } from '../base/l10n';
import type { RunEvent } from './events';

/** The ranks of adapted layers, by their paths; 0 for a layer without an adapter. */
export type Ranks = Readonly<Record<string, number>>;

/** Recorded before the first step of a run whose data decide the ranks of its layers (EVA). */
export interface RanksEvent {
  kind: 'ranks';
  step: number;
  ranks: Ranks;
}

/** The ranks that a run was trained with; undefined if they are those of its settings. */
export const ranksIn = (events: readonly Pick<RunEvent, 'kind'>[]): Ranks | undefined =>
  (events.findLast((e) => e.kind === 'ranks') as RanksEvent | undefined)?.ranks;

/** "query 2–5, value 3": the ranks of the layers with each last name. */
export function ranksText(ranks: Ranks): string {
  const byName = new Map<string, number[]>();
  for (const [path, rank] of Object.entries(ranks)) {
    const name = path.slice(path.lastIndexOf('.') + 1);
    const own = byName.get(name);
    if (own) own.push(rank);
    else byName.set(name, [rank]);
  }
  return [...byName]
    .map(([name, own]) => {
      const [low, high] = [Math.min(...own), Math.max(...own)];
      return `${name} ${low === high ? low : `${low}–${high}`}`;
    })
    .join(', ');
}

/** One sentence for a terminal. */
export const ranksSentence = (ranks: Ranks): string => t('Ranks from the data: {0}.', ranksText(ranks));
