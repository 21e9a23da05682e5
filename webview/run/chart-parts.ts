import { nearest } from '../charts/curve';
import type { Point } from './point-menu';
import type { RunData, XAxis } from './run-data';
import { LOSS, smoothedRecords, type Quantity } from './quantities';
import { type DrawnUi, makeView } from './chart-views';
import { durationText, epochText } from '../../src/base/number-text';
import { tickTexts, WHOLE_INCREMENTS } from '../../src/base/tick-texts';
import type { FlagWords } from '../charts/flag-lane';
import type { ChartOptions, ChartView } from '../charts/line-chart';
import { t } from '../../src/base/l10n';
import { formatCount, TIME_INCREMENTS } from './run-numbers';
import { chartSummary } from './chart-readouts';
import { lossSummary } from './run-words';

/** The point of a loss curve that is nearest in x, of the run nearest in y. */
export function pointAt(
  runs: readonly RunData[],
  { axis, weight }: DrawnUi,
  x: number,
  y: number,
): Point | undefined {
  let found: (Point & { distance: number }) | undefined;
  for (const run of runs.filter((r) => r.records > 0)) {
    const index = nearest(run.x(axis), x);
    const loss = weight > 0 ? smoothedRecords(LOSS, run, weight) : run.column('loss');
    const distance = Math.abs(loss[index] - y);
    if (!found || distance < found.distance) found = { run, index, distance };
  }
  return found && { run: found.run, index: found.index };
}

type Handlers = Required<Pick<ChartOptions, 'onCursor' | 'onZoom' | 'onFlag'>> & {
  onPick(quantity: Quantity, ...args: Parameters<NonNullable<ChartOptions['onPick']>>): void;
};

const FLAG_WORDS: FlagWords = {
  more: (count) => t('and {0} more', count),
  several: (count) => t('{0} events', count),
};

/** The parts of the charts, kept until their data change. */
export class ChartParts {
  private readonly views = new Map<string, { version: number; view: ChartView }>();
  private readonly summaries = new Map<string, { version: number; text: string }>();
  private readonly kept = new Map<string, ChartOptions>();

  constructor(
    private readonly axis: () => XAxis,
    private readonly handlers: Handlers,
    /** True if the loss chart has a lane for events. */
    private readonly flags = true,
  ) {}

  options(quantity: Quantity, height: number): ChartOptions {
    const { key } = quantity;
    const found = this.kept.get(key);
    if (found) return found;
    const { axis, handlers } = this;
    const { onCursor, onZoom, onFlag } = handlers;
    const options: ChartOptions = {
      height,
      formatX: (v) => ({ time: durationText, step: formatCount, epoch: epochText })[axis()](v),
      formatY: quantity.format,
      ticksX: (ticks) => (axis() === 'epoch' ? tickTexts(ticks) : ticks.map(options.formatX)),
      ticksY: quantity.ticks,
      xIncrements: () => ({ time: TIME_INCREMENTS, step: WHOLE_INCREMENTS, epoch: undefined })[axis()],
      ...{ onCursor, onZoom, onFlag },
      onPick: (...args) => handlers.onPick(quantity, ...args),
      ...(this.flags && key === LOSS.key && { flagWords: FLAG_WORDS }),
    };
    this.kept.set(key, options);
    return options;
  }

  /** @param version of the data and of the way they are drawn */
  view(
    quantity: Quantity,
    version: number,
    runs: readonly RunData[],
    ui: DrawnUi,
    range: [number, number],
  ): ChartView {
    const kept = this.views.get(quantity.key);
    if (kept?.version === version) return kept.view;
    const view = { ...makeView(quantity, runs, ui, range), ...(!this.flags && { marks: [] }) };
    this.views.set(quantity.key, { version, view });
    return view;
  }

  /** Examines every value, so only when there are new ones. @param version of the data */
  summary(quantity: Quantity, version: number, runs: readonly RunData[]): string {
    const kept = this.summaries.get(quantity.key);
    if (kept?.version === version) return kept.text;
    const text = quantity.key === LOSS.key ? runs.map(lossSummary).join(' ') : chartSummary(quantity, runs);
    this.summaries.set(quantity.key, { version, text });
    return text;
  }
}
