import { homedir } from 'node:os';
import { posix } from 'node:path';
import * as vscode from 'vscode';
import type { ChartFormat, SaveChart } from '../../protocol/panels/save-chart';

/** What file systems do not allow in names, on any platform. */
const FORBIDDEN = /[\\/:*?"<>|\p{Cc}]+/gu;

const MESSAGE_MS = 5000;

/**
 * Asks where to save a chart, and writes the file.
 *
 * @param of the name of what it is about, for the file's
 * @returns the file's name; undefined if the user changed their mind
 */
export async function saveChart({ chart, format, data }: SaveChart, of: string): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(homedir());
  const words: Record<ChartFormat, string> = {
    png: vscode.l10n.t('PNG picture'),
    svg: vscode.l10n.t('SVG picture'),
    csv: vscode.l10n.t('Comma-separated values'),
  };
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(folder, `${of.replace(FORBIDDEN, '-')} ${chart}.${format}`),
    filters: { [words[format]]: [format] },
    title: vscode.l10n.t('Save Chart'),
  });
  if (!uri) return undefined;
  await vscode.workspace.fs.writeFile(uri, Buffer.from(data, format === 'png' ? 'base64' : 'utf8'));
  const name = posix.basename(uri.path);
  // The dashboard says so, too, but that may be hidden; the table and the sweep page do not.
  vscode.window.setStatusBarMessage(vscode.l10n.t('Saved {0}.', name), MESSAGE_MS);
  return name;
}
