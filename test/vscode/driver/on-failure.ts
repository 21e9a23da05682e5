import { onTestFailed } from 'vitest';
import type { Window } from './window';

/** Call in beforeEach: a picture of the window as it was when a test failed. */
export function pictureOnFailure(window: Window): void {
  onTestFailed(({ task }) =>
    window.screenshot(`failed-${task.name.replace(/\W+/g, '-').slice(0, 60)}`).then(() => {}),
  );
}
