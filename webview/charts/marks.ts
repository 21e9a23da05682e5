import type uPlot from 'uplot';
import type { Projection } from './curve';
import type { ChartColors } from './theme';

/** What an event may be, the most important first: several in one place are shown as the first of these. */
export const MARK_KINDS = ['alarm', 'warning', 'stopped', 'fork', 'resumed', 'best', 'checkpoint'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** An event at an x: a flag above the chart, or a small triangle on its axis. */
export interface Mark {
  x: number;
  /** A word or two; omitted for a triangle on the axis. */
  label?: string;
  /** With a `label`; `alarm` by default. */
  kind?: MarkKind;
  /** What happened, as a sentence without its period; `label` by default. */
  text?: string;
}

export const kindOf = ({ kind }: Mark): MarkKind => kind ?? 'alarm';

/** A line through the chart says where something changed; what only records a state has none. */
export const hasLine = (mark: Mark): boolean =>
  mark.label !== undefined && !['best', 'checkpoint'].includes(kindOf(mark));

/** What of the marks belongs inside of the chart: lines under flags, and triangles. */
export function paintMarks(
  ctx: CanvasRenderingContext2D,
  bbox: uPlot.BBox,
  marks: readonly Mark[],
  projection: Projection,
  colors: ChartColors,
): void {
  const ratio = devicePixelRatio;
  ctx.lineWidth = ratio;
  const bottom = bbox.top + bbox.height;
  for (const mark of marks) {
    const { x, label } = mark;
    if (x < projection.min || x > projection.max) continue;
    ctx.strokeStyle = ctx.fillStyle = kindOf(mark) === 'alarm' ? colors.warning : colors.text;
    const at = projection.x(x);
    ctx.beginPath();
    if (label === undefined) {
      const r = 4 * ratio;
      ctx.moveTo(at - r, bottom);
      ctx.lineTo(at, bottom - 1.6 * r);
      ctx.lineTo(at + r, bottom);
      ctx.fill();
    } else if (hasLine(mark)) {
      // On the pixels' edges: between them, a line would be twice as wide and half as strong.
      const crisp = Math.round(at - ratio / 2) + ratio / 2;
      ctx.setLineDash([3 * ratio, 3 * ratio]);
      ctx.moveTo(crisp, bbox.top);
      ctx.lineTo(crisp, bottom);
      ctx.stroke();
    }
  }
}
