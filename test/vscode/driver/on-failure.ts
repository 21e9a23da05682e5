import { onTestFailed } from 'vitest';
import type { Window } from './window';

/** Call this in beforeEach to take a screenshot of the window when a test fails. */
export function pictureOnFailure(window: Window | (() => Window)): void {
  onTestFailed(({ task }) =>
    (typeof window === 'function' ? window() : window)
      .screenshot(`failed-${task.name.replace(/\W+/g, '-').slice(0, 60)}`)
      .then(() => {}),
  );
}
