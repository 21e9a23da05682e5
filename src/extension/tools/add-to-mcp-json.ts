import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { untrusted } from '../../executors/missing-piece';
import { writeAtomic } from '../../files/atomic';
import { readIfThere } from '../../files/read';
import { GPU_FOLDER, GPU_SUPPORT_VARIABLE } from '../../protocol/gpu-support';
import { saved } from '../ask/saved';
import { notify } from '../messages/notify';
import type { Services } from '../services';
import { stableScript } from '../terminal/terminal';
import { type McpEntry, SERVER, withServer } from './mcp-json';

const FILE = '.mcp.json';

/** Offers to add the lab to a folder's .mcp.json, and does it once the user agrees. */
export async function addToMcpJson(services: Services): Promise<void> {
  if (!vscode.workspace.isTrusted) throw untrusted();
  const folder = await pickFolder();
  if (folder === undefined) return;
  const file = join(folder, FILE);
  if (!(await saved(file))) return;
  const before = (await readIfThere(file))?.toString('utf8');
  const entry = await entryFor(services, folder);
  const merged = withServer(file, before, entry);
  if (merged.was === 'same') {
    void notify.information(t('{0} already lets agents start AuroRA Lab.', FILE));
    return;
  }
  const written = (value: unknown) => `"${SERVER}": ${JSON.stringify(value, null, 2)}`;
  const [question, button, detail] =
    merged.was === 'other'
      ? [
          t('{0} has another entry "{1}". Replace it?', FILE, SERVER),
          t('Replace'),
          [written(merged.before), written(entry)].join('\n\n→\n\n'),
        ]
      : [
          before === undefined ? t('Create {0}?', FILE) : t('Add AuroRA Lab to {0}?', FILE),
          before === undefined ? t('Create') : t('Add'),
          [
            written(entry),
            t(
              'Agents that read this file can then start the server; it asks you before anything is trained. The paths are those of this machine.',
            ),
          ].join('\n\n'),
        ];
  if ((await notify.information(question, { modal: true, detail }, button)) !== button) return;
  // The answer may have taken a while.
  if ((await readIfThere(file))?.toString('utf8') !== before)
    throw new AuroraError('usage', `${file} was changed in the meantime.`, 'Run the command again.');
  writeAtomic(file, merged.text);
  await vscode.window.showTextDocument(vscode.Uri.file(file));
}

async function pickFolder(): Promise<string | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file');
  if (folders.length < 2) return folders[0]?.uri.fsPath;
  const items = folders.map((f) => ({
    label: basename(f.uri.fsPath),
    description: f.uri.fsPath,
    folder: f.uri.fsPath,
  }));
  const title = t('Select the folder whose agents may start AuroRA Lab');
  return (await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true }))?.folder;
}

/** On Windows, programs that start servers without a shell cannot start a batch file. */
async function entryFor(services: Services, folder: string): Promise<McpEntry> {
  const script = await stableScript(services);
  const args = ['mcp', folder];
  const gpu = join(services.context.globalStorageUri.fsPath, GPU_FOLDER);
  return {
    ...(process.platform === 'win32'
      ? { command: 'cmd', args: ['/c', script, ...args] }
      : { command: script, args }),
    env: { [GPU_SUPPORT_VARIABLE]: gpu },
  };
}
