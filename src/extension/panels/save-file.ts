import { homedir } from 'node:os';
import { posix } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { ChartFormat, SaveChart } from '../../protocol/panels/save-chart';

/** Characters that file systems do not allow in names, on any platform. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}]+/gu;

const MESSAGE_MS = 5000;

/**
 * Asks where to save a file, and writes it.
 *
 * @param name suggested; may contain anything
 * @param filters its kind, in words, and the ending
 * @returns the file's name; undefined if the user changed their mind
 */
export async function saveFile(
  data: Uint8Array,
  name: string,
  title: string,
  filters: Record<string, string[]>,
): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(folder, name.replace(FORBIDDEN, '-')),
    filters,
    title,
  });
  if (!uri) return undefined;
  await vscode.workspace.fs.writeFile(uri, data);
  const saved = posix.basename(uri.path);
  // Some pages show it, too, but they may be hidden.
  vscode.window.setStatusBarMessage(t('Saved {0}.', saved), MESSAGE_MS);
  return saved;
}

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
