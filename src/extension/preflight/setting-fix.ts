import { AuroraError } from '../../base/errors';
import { Edit, replacedRange } from '../panels/budget/budget-experiment';

/**
 * The edit that sets a setting in an experiment's text, keeping its comments and layout; undefined if the text is not valid
 * JSON or already has the value.
 *
 * @param key of one section, as in data.onBadRow
 */
export function settingFix(
  text: string,
  key: string,
  value: string | number | boolean,
): ReturnType<typeof replacedRange> | undefined {
  try {
    const edit = new Edit(text);
    edit.set(key.split('.'), value);
    return edit.text === text ? undefined : replacedRange(text, edit.text);
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}
