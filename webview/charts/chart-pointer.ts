import type uPlot from 'uplot';

interface Handlers {
  /** The position of a real pointer, in pixels from the left edge; undefined once it has left. */
  onMove(left: number | undefined): void;
  onZoom?(range: [min: number, max: number] | undefined): void;
  onPick?(x: number, y: number, menu: { left: number; top: number } | undefined): void;
}

/** A click that moved further than this was a drag. */
const CLICK_PX = 4;

/** Adds what uPlot's cursor lacks: picking, context menu, zoom by Ctrl+wheel, pan by Shift+wheel or horizontal wheel. */
export function onPointer(plot: uPlot, { onMove, onZoom, onPick }: Handlers): void {
  const { over } = plot;
  const place = (e: MouseEvent): [x: number, y: number] => {
    const box = over.getBoundingClientRect();
    return [plot.posToVal(e.clientX - box.left, 'x'), plot.posToVal(e.clientY - box.top, 'y')];
  };
  over.addEventListener('mousemove', (e) => onMove(e.clientX - over.getBoundingClientRect().left));
  over.addEventListener('mouseleave', () => onMove(undefined));
  let down: MouseEvent | undefined;
  over.addEventListener('mousedown', (e) => (down = e.button === 0 ? e : undefined));
  over.addEventListener('mouseup', (e) => {
    if (down && Math.hypot(e.clientX - down.clientX, e.clientY - down.clientY) < CLICK_PX)
      onPick?.(...place(e), undefined);
    down = undefined;
  });
  over.addEventListener('contextmenu', (e) => {
    if (!onPick) return;
    e.preventDefault();
    onPick(...place(e), { left: e.clientX, top: e.clientY });
  });
  over.addEventListener('dblclick', () => onZoom?.(undefined));
  over.addEventListener(
    'wheel',
    (e) => {
      const { min, max } = plot.scales.x;
      if (!onZoom || min == null || max == null) return;
      const sideways = e.shiftKey ? e.deltaY || e.deltaX : e.deltaX;
      if (e.ctrlKey || e.metaKey) {
        const [x] = place(e);
        const factor = Math.exp(Math.sign(e.deltaY) * Math.min(Math.abs(e.deltaY), 100) * 0.003);
        onZoom([x - (x - min) * factor, x + (max - x) * factor]);
      } else if (sideways !== 0 && (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))) {
        const shift = ((max - min) * sideways) / 1000;
        onZoom([min + shift, max + shift]);
      } else return;
      e.preventDefault();
    },
    { passive: false },
  );
}
