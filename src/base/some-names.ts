import { t } from './l10n';
import { count } from './number-text';

/** The first names, and the number of the others: "a, b and 3 more". */
export const someNames = (names: readonly string[], most: number): string => {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? t('{0} and {1} more', shown, count(names.length - most)) : shown;
};
