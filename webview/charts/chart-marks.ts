import type uPlot from 'uplot';
import type { Projection } from './curve';
import type { ChartColors } from './chart-colors';

/** Kinds of events, the most important first: several in one place are shown as the first of these. */
export const MARK_KINDS = ['alarm', 'warning', 'stopped', 'fork', 'resumed', 'best', 'checkpoint'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** An event at an x: a flag above the chart, or a small triangle on its axis. */
export interface Mark {
  x: number;
  /** A word or two; omitted for a triangle on the axis. */
  label?: string;
  /** With a `label`; `alarm` by default. */
  kind?: MarkKind;
  /** The event as a sentence without its period; `label` by default. */
  text?: string;
}

export const kindOf = ({ kind }: Mark): MarkKind => kind ?? 'alarm';

/** A line through the chart says where something changed; what only records a state has none. */
export const hasLine = (mark: Mark): boolean =>
  mark.label !== undefined && !['best', 'checkpoint'].includes(kindOf(mark));

/** Draws the part of the marks that is inside the chart: lines under flags, and triangles. */
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

/** The shape of a mark on what does not count. */
export const CROSS = 4;

/**
 * A mark at a value, as an SVG path. Each of four dash patterns has its own shape, so that curves differ by more than
 * color: circle, square, diamond, triangle. `CROSS` is an open one, larger than these, to lie over them.
 */
export function markPath(shape: number, cx: number, cy: number, r: number): string {
  const at = (x: number, y: number) => `${round(x)} ${round(y)}`;
  if (shape === 0) {
    const d = round(2 * r);
    return `M${at(cx - r, cy)}a${round(r)} ${round(r)} 0 1 0 ${d} 0a${round(r)} ${round(r)} 0 1 0 -${d} 0Z`;
  }
  if (shape === 1)
    return `M${at(cx - r, cy - r)}L${at(cx + r, cy - r)}L${at(cx + r, cy + r)}L${at(cx - r, cy + r)}Z`;
  if (shape === CROSS) {
    const d = 1.8 * r;
    return `M${at(cx - d, cy - d)}L${at(cx + d, cy + d)}M${at(cx - d, cy + d)}L${at(cx + d, cy - d)}`;
  }
  const corners = shape === 2 ? 4 : 3;
  const points = Array.from({ length: corners }, (_, k) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * k) / corners;
    return at(cx + 1.3 * r * Math.cos(angle), cy + 1.3 * r * Math.sin(angle));
  });
  return `M${points.join('L')}Z`;
}

const round = (value: number): number => Number(value.toFixed(2));
