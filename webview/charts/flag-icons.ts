import type { MarkKind } from './marks';

/** Shapes that differ without color, as SVG paths in a square of 12 by 12. */
export const FLAG_ICONS: Readonly<Record<MarkKind, string>> = {
  // A bell.
  alarm:
    'M6 0.5 C8.6 0.5 9.5 2.5 9.5 5 L9.5 7.5 L11 9.5 L1 9.5 L2.5 7.5 L2.5 5 C2.5 2.5 3.4 0.5 6 0.5 Z M4.5 10.3 L7.5 10.3 L6.8 11.7 L5.2 11.7 Z',
  // A triangle with a gap for its exclamation mark.
  warning:
    'M6 0.5 L11.8 11.5 L0.2 11.5 Z M5.4 4.5 L5.6 8 L6.4 8 L6.6 4.5 Z M5.4 8.8 L5.4 10 L6.6 10 L6.6 8.8 Z',
  stopped: 'M1.5 1.5 L10.5 1.5 L10.5 10.5 L1.5 10.5 Z',
  // A stem with two branches.
  fork: 'M5.2 11.5 L5.2 7.5 L1.2 3.5 L1.2 0.5 L2.8 0.5 L2.8 2.9 L6 6 L9.2 2.9 L9.2 0.5 L10.8 0.5 L10.8 3.5 L6.8 7.5 L6.8 11.5 Z',
  resumed: 'M2 1 L11 6 L2 11 Z',
  best: 'M6 0.4 L7.7 4.1 L11.7 4.5 L8.7 7.2 L9.6 11.2 L6 9.1 L2.4 11.2 L3.3 7.2 L0.3 4.5 L4.3 4.1 Z',
  // A small flag on its pole.
  checkpoint: 'M3 0.5 L3 11.5 L4.2 11.5 L4.2 7 L10 4 L4.2 1 L4.2 0.5 Z',
};
