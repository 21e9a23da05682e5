import { t } from '../../base/l10n';
import type { ChartFormat, SaveChart } from '../../protocol/panels/save-chart';
import { saveFile } from './save-file';

/**
 * Asks for the path of a chart, and writes the file.
 *
 * @param of the name of its subject, for the file's
 * @returns the file's name; undefined if the user changed their mind
 */
export function saveChart({ chart, format, data }: SaveChart, of: string): Promise<string | undefined> {
  const words: Record<ChartFormat, string> = {
    png: t('PNG picture'),
    svg: t('SVG picture'),
    csv: t('Comma-separated values'),
  };
  const bytes = Buffer.from(data, format === 'png' ? 'base64' : 'utf8');
  return saveFile(bytes, `${of} ${chart}.${format}`, t('Save Chart'), {
    [words[format]]: [format],
  });
}
