import { t } from '../../base/l10n';

export { bytes } from '../../base/number-text';

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** Making one takes longer than using it, and a tree has a thousand rows. */
const formats = new Map<string, Intl.RelativeTimeFormat>();

function formatIn(locale: string): Intl.RelativeTimeFormat {
  let format = formats.get(locale);
  if (!format) {
    format = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'short' });
    formats.set(locale, format);
  }
  return format;
}

/** "3 min ago", "just now"; times in ms since 1970. */
export function ago(time: number, now: number, locale: string): string {
  const seconds = (now - time) / 1000;
  const unit = UNITS.find(([, size]) => seconds >= size);
  if (!unit) return t('just now');
  // English abbreviations end with a period, which reads like the end of a sentence in a row.
  return formatIn(locale)
    .format(-Math.floor(seconds / unit[1]), unit[0])
    .replace(/\.(?= )/, '');
}
