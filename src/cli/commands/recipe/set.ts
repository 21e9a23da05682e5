import { applyEdits, modify } from 'jsonc-parser';

const FORMAT = { formattingOptions: { insertSpaces: true, tabSize: 2 } };

/** An experiment's text with other settings; its comments stay. The values are checked when it is read. */
export function withSettings(text: string, settings: ReadonlyMap<string, unknown>): string {
  let changed = text;
  for (const [key, value] of settings)
    changed = applyEdits(changed, modify(changed, key.split('.'), value, FORMAT));
  return changed;
}
