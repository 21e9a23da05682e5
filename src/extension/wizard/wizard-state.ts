import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { bytes } from '../../base/number-text';
import { referenceOf } from '../../experiment/hub-reference';
import type { AdapterSpec } from '../../experiment/methods';
import { modelPath } from '../../files/model-path';
import { withPatterns } from '../../files/pattern';
import type { KnownData } from '../../recipes/data/hub-sets';
import type { Draft } from '../../recipes/draft';
import type { DataHead } from '../../table/head';
import type { Place } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { cachedData } from '../models/hub-cached';
import { jsonData } from '../models/json-data';
import type { KnownModel } from '../models/known-model';
import type { Services } from '../services';
import { shownName, shownPlace } from './hub-files';

/** The user's choices so far. */
export interface WizardState extends Partial<Draft> {
  services: Services;
  /** Models, tokenizers and data files of the workspace. */
  files: string[];
  /** JSON files with rows; found when a step on data first needs them. */
  lists?: string[];
  /** Data in the hub's cache, likewise. */
  cached?: string[];
  /** The model that the wizard was started on. */
  given?: string;
  summary?: KnownModel;
  /** The model that was chosen last and cannot be used. */
  refused?: { path: string; error: AuroraError };
  headOfData?: DataHead;
  /** True if the training images have captions. */
  captioned?: boolean;
  /** Files that look like a test set. */
  tests?: string[];
  /** The paper's data set that the training data belong to. */
  known?: KnownData;
  adapter?: AdapterSpec;
  /** The folder for the experiment. */
  file?: string;
}

/** The files that may hold data; each numbered set as its pattern. */
export async function dataFiles(state: WizardState): Promise<string[]> {
  state.lists ??= await jsonData();
  state.cached ??= await cachedData();
  return [...withPatterns([...state.files, ...state.lists]), ...state.cached];
}

/** All choices, once every step is done. */
export const draftOf = (s: WizardState): Draft => ({
  model: modelPath(s.model!),
  positions: s.summary?.positions,
  tokenizer: s.tokenizer,
  preprocessor: s.preprocessor,
  output: s.output,
  train: s.train!,
  validation: s.validation!,
  test: s.test,
  task: s.task!,
  columns: s.columns!,
  adapter: s.adapter!,
  maxLength: s.maxLength,
  batchSize: s.batchSize,
  subject: s.subject,
  recipe: s.recipe,
  ...(s.known && { read: s.known.layout.read }),
  ...(s.recipe && s.known?.recipe.pooling && { pooling: s.known.recipe.pooling.value }),
  ...(s.recipe && s.known?.recipe.lossOn && { lossOn: s.known.recipe.lossOn.value }),
});

/** Sorts the files of a folder before those elsewhere. */
export const nearFirst = (folder: string, paths: readonly string[]): string[] => {
  const near = (path: string) => Number(dirname(path) === folder);
  return [...paths].sort((a, b) => near(b) - near(a));
};

interface FileItem extends vscode.QuickPickItem {
  path?: string;
  action?: string;
}

/** A row that is not a file; `action` is the result of picking it. */
export type ActionItem<A extends string> = vscode.QuickPickItem & { action?: A };

export interface FileChoice<A extends string> {
  files: readonly string[];
  placeholder: string;
  /** For the dialog: its title, and the accepted extensions, without dots. */
  browse: { title: string; filters: Record<string, string[]> };
  active?: string;
  /** Above the files. */
  above?: readonly ActionItem<A>[];
  /** Options other than files. */
  extra?: readonly ActionItem<A>[];
}

/** Lets the user pick a file of the workspace, shown with its size, or any other through a dialog. */
export async function pickFile<A extends string = never>(
  place: Place,
  { files, placeholder, browse, active, above = [], extra = [] }: FileChoice<A>,
): Promise<{ path: string } | A | 'back' | 'cancel'> {
  const items: FileItem[] = await Promise.all(files.map(fileItem));
  const other: FileItem = {
    label: `$(folder-opened) ${t('Browse…')}`,
    action: BROWSE,
    alwaysShow: true,
  };
  for (;;) {
    const picked = await pick<FileItem>(place, {
      items: [...above, ...items, ...(items.length > 0 ? [separator] : []), other, ...extra],
      placeholder,
      active: items.find((i) => i.path === active),
    });
    if (typeof picked === 'string') return picked;
    const [{ path, action }] = picked;
    if (path !== undefined) return { path };
    if (action !== undefined && action !== BROWSE) return action as A;
    const chosen = await vscode.window.showOpenDialog({ ...browse, openLabel: t('Use') });
    if (chosen?.[0]) return { path: chosen[0].fsPath };
  }
}

const BROWSE = 'browse';

const separator: FileItem = { label: '', kind: vscode.QuickPickItemKind.Separator };

async function fileItem(path: string): Promise<FileItem> {
  if (referenceOf(path)) return { label: shownName(path), description: shownPlace(path), path };
  // A folder is a model from the hub; its own size is not that of the model.
  const size = await stat(path).then(
    (s) => (s.isDirectory() ? t('model folder') : bytes(s.size)),
    () => '',
  );
  // The folder of the file: the workspace folder itself would be written in full.
  const folder = dirname(vscode.workspace.asRelativePath(path));
  return {
    label: basename(path),
    description: [size, folder === '.' ? '' : folder].filter((x) => x).join(' · '),
    path,
  };
}
