import { onTestFailed } from 'vitest';
import type { Window } from './window';

/** Call in beforeEach: a picture of the window as it was when a test failed. */
export function pictureOnFailure(window: Window | (() => Window)): void {
  onTestFailed(({ task }) =>
    (typeof window === 'function' ? window() : window)
      .screenshot(`failed-${task.name.replace(/\W+/g, '-').slice(0, 60)}`)
      .then(() => {}),
  );
}
