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
