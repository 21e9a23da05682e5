import { NARROWEST, WIDEST } from '../../src/study/runs-table/saved-views';

type GridKey = { kind: 'move'; to: number } | { kind: 'open' | 'check' | 'pin' | 'expand' | 'collapse' };

/** The action of a key in a table of `total` lines of which `page` are visible; undefined if it has none. */
export function gridKey(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  active: number,
  total: number,
  page: number,
): GridKey | undefined {
  if (ctrlKey || metaKey || altKey || total === 0) return undefined;
  const move = (to: number): GridKey => ({ kind: 'move', to: Math.min(Math.max(to, 0), total - 1) });
  switch (key) {
    case 'ArrowDown':
      return move(active + 1);
    case 'ArrowUp':
      return move(active - 1);
    case 'PageDown':
      return move(active + page);
    case 'PageUp':
      return move(active - page);
    case 'Home':
      return move(0);
    case 'End':
      return move(total - 1);
    case 'Enter':
      return { kind: 'open' };
    case ' ':
      return { kind: 'check' };
    case 'p':
    case 'P':
      return { kind: 'pin' };
    case 'ArrowRight':
      return { kind: 'expand' };
    case 'ArrowLeft':
      return { kind: 'collapse' };
    default:
      return undefined;
  }
}

/** Pixels that a key changes a column's width by. */
const STEP = 16;

/**
 * A column's width after a key on its heading: Shift and an arrow key change it, Shift+Home fits it to its texts (undefined).
 * 'other' for any other key.
 */
export function widthKey(
  {
    key,
    shiftKey,
    ctrlKey,
    metaKey,
    altKey,
  }: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  width: number,
): number | undefined | 'other' {
  if (!shiftKey || ctrlKey || metaKey || altKey) return 'other';
  if (key === 'Home') return undefined;
  const by = { ArrowLeft: -STEP, ArrowRight: STEP }[key];
  return by === undefined ? 'other' : within(width + by);
}

/** A width that a column may have. */
export const within = (width: number): number => Math.round(Math.min(Math.max(width, NARROWEST), WIDEST));
