import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { readStoredText } from '../../files/read';
import { t } from '../../base/l10n';
import { duplicateText } from '../../runs/experiment/use-settings';
import { experimentName } from '../../runs/layout';
import { experimentFrom } from '../ask/pick';
import { saved } from '../ask/saved';
import type { Services } from '../services';
import { askText } from '../messages/input';

const ENDING = '.aurora.json';

/** Copies an experiment file under a new name beside it, with its comments and without its runs. @returns the copy */
export async function duplicateExperiment(
  services: Services,
  argument: unknown,
): Promise<string | undefined> {
  const file = await experimentFrom(services, argument, t('Select an experiment to duplicate'));
  if (file === undefined || !(await saved(file))) return undefined;
  const folder = dirname(file);
  const before = experimentName(file);
  const typed = await askText({
    title: t('Duplicate {0}', before),
    prompt: t('Name of the new experiment. Its runs are kept beside it.'),
    value: freeName(folder, before),
    validateInput: (text) => nameProblem(folder, text.trim()),
    ignoreFocusOut: true,
  });
  if (typed === undefined) return undefined;
  const name = typed.trim();
  const copy = join(folder, `${name}${ENDING}`);
  // Fails if the file has appeared in between.
  await writeFile(copy, duplicateText(await readStoredText(file), name), { flag: 'wx' });
  await services.store.refresh();
  await vscode.window.showTextDocument(vscode.Uri.file(copy));
  return copy;
}

function freeName(folder: string, name: string): string {
  for (let n = 2; ; n++) {
    const free = `${name}-${n}`;
    if (!existsSync(join(folder, `${free}${ENDING}`))) return free;
  }
}

function nameProblem(folder: string, name: string): string | undefined {
  if (name === '') return t('Enter a name.');
  if (/[\\/:*?"<>|]/.test(name) || /^\.+$/.test(name))
    return t('A name cannot contain any of \\ / : * ? " < > |.');
  return existsSync(join(folder, `${name}${ENDING}`))
    ? t('{0} already exists.', `${name}${ENDING}`)
    : undefined;
}
