import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { withPatterns } from '../../files/pattern';
import { knownImages } from '../../recipes/data/hub-sets';
import type { Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { kindOf } from '../language/checks/check-files';
import { DATA_FILE, readDataHead } from '../language/data-head';
import { notify } from '../messages/notify';
import { cachedData } from '../models/hub-cached';
import { imageFolders } from '../models/picture-folders';
import { EXCLUDED } from '../models/workspace-files';
import { getData, hubItem, shownName, shownPlace } from './hub-files';
import { imagesAhead, readsImages } from './paths';
import { nearFirst, type WizardState } from './wizard-state';

const IMAGES = '**/*.{jpg,jpeg,png,webp,gif,tif,tiff,avif}';
/** Enough to meet two labels of each folder; looking for all images of a large one would take long. */
const LIMIT = 20_000;

/** Folders of labeled images, and data files. */
export async function imageSources(state: WizardState): Promise<string[]> {
  const found = await vscode.workspace.findFiles(IMAGES, EXCLUDED, LIMIT);
  const local = found.filter((uri) => uri.scheme === 'file').map((uri) => uri.fsPath);
  state.cached ??= await cachedData();
  const data = withPatterns(state.files.filter((file) => DATA_FILE.test(file)));
  return [...imageFolders(local), ...data, ...state.cached];
}

export interface SourceItem extends vscode.QuickPickItem {
  source?: string;
  browse?: 'folder' | 'file';
  action?: 'hub';
}

export const sourceItem = (source: string): SourceItem => ({
  label: shownName(source),
  description: shownPlace(source),
  source,
});

export const browseItems = (): SourceItem[] => [
  { label: `$(folder-opened) ${t('Browse for a Folder…')}`, browse: 'folder', alwaysShow: true },
  { label: `$(file) ${t('Browse for a File…')}`, browse: 'file', alwaysShow: true },
];

/** @returns undefined if the dialog was canceled */
export async function sourceOf({ source, browse }: SourceItem, title: string): Promise<string | undefined> {
  if (source !== undefined || browse === undefined) return source;
  const folder = browse === 'folder';
  const options = { canSelectFolders: folder, canSelectFiles: !folder, title };
  const [chosen] = (await vscode.window.showOpenDialog(options)) ?? [];
  return chosen?.fsPath;
}

export const imageTrainStep: Step<WizardState> = {
  applies: readsImages,
  ahead: imagesAhead,
  async run(state, place) {
    for (;;) {
      const sources = nearFirst(dirname(state.model!), await imageSources(state));
      const items: SourceItem[] = [
        ...sources.map(sourceItem),
        ...browseItems(),
        hubItem(t('Get Data Set from the Hub…')),
      ];
      const picked = await pick<SourceItem>(place, {
        items,
        placeholder: t('Select the training images: a folder with one folder for each label, or a data file'),
        active: items.find((i) => i.source !== undefined && i.source === (state.train ?? likely(sources))),
      });
      if (typeof picked === 'string') return picked;
      const source =
        picked[0].action === 'hub'
          ? await getData(state)
          : await sourceOf(picked[0], t('Select training images'));
      if (source !== undefined && (await take(state, source))) return 'next';
    }
  },
};

const likely = (sources: readonly string[]): string | undefined =>
  sources.find((source) => /train/i.test(basename(source))) ?? sources[0];

/** @returns true if it can be used; if not, after a message */
async function take(state: WizardState, source: string): Promise<boolean> {
  const folder = (await kindOf(source)) === 'folder';
  const head = folder ? undefined : await readDataHead(source).catch(() => undefined);
  if (!folder && (head?.columns.length ?? 0) < 2) {
    const why = t('{0} needs one column of images and one of labels.', basename(source));
    void notify.error(`${why} ${t('Select another file.')}`);
    return false;
  }
  if (state.train !== source) delete state.validation;
  state.train = source;
  state.known = knownImages(
    source,
    state.task!,
    head?.columns.map((c) => c.name),
  );
  if (head) state.headOfData = head;
  else delete state.headOfData;
  // The names of folders need no columns.
  if (!head) state.columns = {};
  else if (state.columns?.image === undefined) delete state.columns;
  return true;
}
