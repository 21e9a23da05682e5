import { escapeControls } from '../../base/escape';

/** Invisible, and allows a line break. */
const ZERO_WIDTH_SPACE = '\u200b';

/**
 * Text for a notification or below an input box. There, VS Code makes `[label](command:…)` a link that runs the command when it
 * is clicked, and offers no way to escape it, while names and messages may come from any file. A link needs `](`, so the
 * two are separated.
 */
export const plainMessage = (text: string): string =>
  escapeControls(text, '\n\t').replaceAll('](', `]${ZERO_WIDTH_SPACE}(`);
