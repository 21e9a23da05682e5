import type uPlot from 'uplot';
import type { Projection } from './curve';
import type { ChartColors } from './theme';

/** An event at an x: a labeled vertical line, or a small mark on the axis. */
export interface Mark {
  x: number;
  /** Omitted for a mark on the axis. */
  label?: string;
  /** Drawn in the color of warnings. */
  alarm?: true;
}

export function paintMarks(
  ctx: CanvasRenderingContext2D,
  bbox: uPlot.BBox,
  marks: readonly Mark[],
  projection: Projection,
  colors: ChartColors,
): void {
  const ratio = devicePixelRatio;
  ctx.lineWidth = ratio;
  ctx.font = colors.font.replace('11px', `${11 * ratio}px`);
  ctx.textBaseline = 'top';
  const bottom = bbox.top + bbox.height;
  for (const { x, label, alarm } of marks) {
    if (x < projection.min || x > projection.max) continue;
    ctx.strokeStyle = ctx.fillStyle = alarm ? colors.warning : colors.text;
    const at = Math.round(projection.x(x));
    ctx.setLineDash(label === undefined ? [] : [3 * ratio, 3 * ratio]);
    ctx.beginPath();
    if (label === undefined) {
      const r = 4 * ratio;
      ctx.moveTo(at - r, bottom);
      ctx.lineTo(at, bottom - 1.6 * r);
      ctx.lineTo(at + r, bottom);
      ctx.fill();
      continue;
    }
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bottom);
    ctx.stroke();
    const fits = at + 4 * ratio + ctx.measureText(label).width < bbox.left + bbox.width;
    ctx.textAlign = fits ? 'left' : 'right';
    ctx.fillText(label, at + (fits ? 4 : -4) * ratio, bbox.top + 2 * ratio);
  }
}
