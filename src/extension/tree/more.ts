import { count } from '../../base/number-text';
import type { Row, RowContext } from '../words/run-row';

/** Runs below a row at first: VS Code draws all rows at once, and thousands would block the extension host. */
export const FIRST = 200;
/** Further ones each time. */
export const MORE = 500;

/** How many runs are shown below each row, by the row's id. */
export class ShownCounts {
  private readonly counts = new Map<string, number>();

  of(id: string): number {
    return this.counts.get(id) ?? FIRST;
  }

  more(id: string): void {
    this.counts.set(id, this.of(id) + MORE);
  }
}

/** The row that shows more runs. */
export function moreRow(hidden: number, { t }: RowContext): Row {
  const label = t('Show More');
  const description = hidden === 1 ? t('1 more run') : t('{0} more runs', count(hidden));
  return {
    label,
    description,
    icon: { id: 'ellipsis' },
    capabilities: ['more'],
    spoken: `${label}, ${description}`,
  };
}
