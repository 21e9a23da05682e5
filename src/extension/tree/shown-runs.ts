import { t } from '../../base/l10n';
import { count } from '../../base/number-text';
import { nodeId, type ExperimentNode, type MoreNode, type RunNode, type SweepNode } from '../runs/nodes';
import { sortRuns, type Sort } from '../runs/run-sort';
import type { ExperimentEntry, RunEntry } from '../runs/store';
import type { Row } from '../words/run-row';
import { matchesFilter } from './arrange';

/** Runs below a row at first: VS Code draws all rows at once, and thousands would block the extension host. */
const FIRST = 200;
/** Further ones each time. */
const MORE = 500;

interface Options {
  readonly filter: string;
  readonly sort: Sort;
}

/** The runs that the tree shows, in their order. */
export class ShownRuns {
  private readonly sorted = new WeakMap<ExperimentEntry, Options & { runs: readonly RunEntry[] }>();
  /**
   * The numbers of rows, by the id of a row that shows more than the first: those shown below it, and those not shown.
   */
  private readonly counts = new Map<string, number>();
  private readonly hidden = new Map<string, number>();

  constructor(private readonly options: Options) {}

  /** The runs of an experiment that pass the filter. */
  found({ runs, name }: Pick<ExperimentEntry, 'runs' | 'name'>): readonly RunEntry[] {
    const { filter } = this.options;
    return filter ? runs.filter((r) => matchesFilter(r, name, filter)) : runs;
  }

  /** The runs in order; sorted once, however many rows ask. */
  of(experiment: ExperimentEntry): readonly RunEntry[] {
    const { filter, sort } = this.options;
    const known = this.sorted.get(experiment);
    if (known?.filter === filter && known.sort === sort) return known.runs;
    const runs = sortRuns(this.found(experiment), sort);
    this.sorted.set(experiment, { filter, sort, runs });
    return runs;
  }

  /** The first of the runs below a row, and one row for the others. */
  below(row: ExperimentNode | SweepNode, runs: readonly Pick<RunEntry, 'folder'>[]): (RunNode | MoreNode)[] {
    const id = nodeId(row);
    const shown = runs.slice(0, this.counts.get(id) ?? FIRST);
    const hidden = runs.length - shown.length;
    this.hidden.set(id, hidden);
    return [
      ...shown.map(({ folder }): RunNode => ({ kind: 'run', folder })),
      ...(hidden > 0 ? [{ kind: 'more', below: row } as const] : []),
    ];
  }

  more({ below }: MoreNode): void {
    const id = nodeId(below);
    this.counts.set(id, (this.counts.get(id) ?? FIRST) + MORE);
  }

  /** The row that shows more. */
  moreRow({ below }: MoreNode): Row {
    const hidden = this.hidden.get(nodeId(below)) ?? 0;
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
}
