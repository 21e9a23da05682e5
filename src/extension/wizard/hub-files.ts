import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { hubName, referenceOf } from '../../experiment/hub-reference';
import type { GotReference } from '../../protocol/hub';
import { getFromHub } from '../hub/get-from-hub';
import type { ActionItem, WizardState } from './wizard-state';

/** A short name of a file or folder: in the hub's cache, whose folders are commits, the name of its repository. */
export const shownName = (path: string): string => hubName(path) ?? basename(path);

/** The place of a file, beside its name in a list. */
export function shownPlace(path: string): string {
  const ref = referenceOf(path);
  if (!ref) return vscode.workspace.asRelativePath(path);
  return t('{0}@{1}, from the hub', ref.repo, ref.revision.slice(0, 7));
}

const VALIDATION = ['validation', 'valid', 'val', 'dev', 'test'];

/** The validation split beside a training split of the hub, or else the test split: rte/validation/0000.parquet. */
export function splitBeside(train: string, files: readonly string[]): string | undefined {
  if (!referenceOf(train)) return undefined;
  const folder = dirname(dirname(train));
  const beside = files.filter((file) => file !== train && dirname(dirname(file)) === folder);
  return VALIDATION.flatMap((name) => beside.filter((file) => basename(dirname(file)).startsWith(name)))[0];
}

/** The row that downloads the files the wizard asks for, and takes them. */
export const hubItem = (label: string): ActionItem<'hub'> => ({
  label: `$(cloud-download) ${label}`,
  action: 'hub',
  alwaysShow: true,
});

/** @returns the training data; undefined if nothing was got */
export async function getData(state: WizardState): Promise<string | undefined> {
  const got = await getFromHub(state.services, 'dataset');
  delete state.cached;
  return got && trainingData(got.references);
}

/** The split of a data set that is called so, or its first. */
export const trainingData = (splits: readonly GotReference[]): string | undefined =>
  (splits.find(({ split = '' }) => split.startsWith('train')) ?? splits[0])?.path;
