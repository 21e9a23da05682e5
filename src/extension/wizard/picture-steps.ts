import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { SubjectDraft } from '../../recipes/draft';
import type { Outcome, Place, Step } from '../ask/run-steps';
import { ask, pick } from '../ask/steps';
import { notify } from '../messages/notify';
import { PICTURE_FILES, type PictureFolder, pictureFolders } from '../models/picture-folders';
import { EXCLUDED } from '../models/workspace-files';
import { drawsPictures, picturesAhead } from './paths';
import { nearFirst, type WizardState } from './wizard-state';

/** Enough to count the images of a folder; those of a large data set need not all be looked for. */
const LIMIT = 20_000;

async function foldersIn(pattern: vscode.GlobPattern): Promise<PictureFolder[]> {
  const found = await vscode.workspace.findFiles(pattern, EXCLUDED, LIMIT);
  return pictureFolders(found.filter((uri) => uri.scheme === 'file').map((uri) => uri.fsPath));
}

/** The facts about one folder, wherever it is. */
async function folderAt(path: string): Promise<PictureFolder | undefined> {
  const pattern = new vscode.RelativePattern(vscode.Uri.file(path), PICTURE_FILES.replace('**/', ''));
  return (await foldersIn(pattern)).find((folder) => folder.path === path);
}

interface FolderItem extends vscode.QuickPickItem {
  folder?: PictureFolder;
  browse?: true;
}

const folderItem = (folder: PictureFolder): FolderItem => {
  const images = folder.images === 1 ? t('1 image') : t('{0} images', folder.images);
  const place = vscode.workspace.asRelativePath(dirname(folder.path));
  return {
    label: basename(folder.path),
    description: [images, ...(folder.captions ? [t('with captions')] : []), place].join(' · '),
    folder,
  };
};

/** @param above rows before the folders */
async function pickFolder(
  place: Place,
  {
    folders,
    placeholder,
    active,
    above = [],
  }: { folders: PictureFolder[]; placeholder: string; active: string | undefined; above?: FolderItem[] },
): Promise<PictureFolder | 'none' | 'back' | 'cancel'> {
  const browse: FolderItem = {
    label: `$(folder-opened) ${t('Browse for a Folder…')}`,
    browse: true,
    alwaysShow: true,
  };
  const items = [...above, ...folders.map(folderItem), browse];
  for (;;) {
    const picked = await pick(place, {
      items,
      placeholder,
      active: items.find((i) => i.folder !== undefined && i.folder.path === active),
    });
    if (typeof picked === 'string') return picked;
    const [item] = picked;
    if (!item.browse) return item.folder ?? 'none';
    const [chosen] =
      (await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false })) ?? [];
    if (!chosen) continue;
    const found = await folderAt(chosen.fsPath);
    if (found) return found;
    void notify.error(t('{0} has no images. Select a folder with images in it.', basename(chosen.fsPath)));
  }
}

/** The folders of the workspace, without those that belong to a pipeline. */
async function workspaceFolders(state: WizardState): Promise<PictureFolder[]> {
  const folders = await foldersIn(PICTURE_FILES);
  const byPath = new Map(folders.map((folder) => [folder.path, folder]));
  return nearFirst(dirname(state.model!), [...byPath.keys()]).map((path) => byPath.get(path)!);
}

const trainStep: Step<WizardState> = {
  applies: drawsPictures,
  ahead: picturesAhead,
  async run(state, place) {
    const folders = await workspaceFolders(state);
    const picked = await pickFolder(place, {
      folders,
      placeholder:
        folders.length > 0
          ? t('Select the folder with the images of the subject; three to ten are enough')
          : t('No images in this workspace. Browse for a folder with a few images of the subject.'),
      active: state.train ?? folders[0]?.path,
    });
    if (typeof picked === 'string') return picked === 'none' ? 'back' : picked;
    if (state.train !== picked.path) delete state.subject;
    Object.assign(state, { train: picked.path, captioned: picked.captions, validation: 0, columns: {} });
    delete state.headOfData;
    delete state.known;
    return 'next';
  },
};

/** The prompt of DreamBooth: a rare word that is to name the subject, and its class. */
const usualPrompt = (folder: string): string => `a photo of sks ${basename(folder).replace(/[-_]+/g, ' ')}`;

const promptStep: Step<WizardState> = {
  applies: drawsPictures,
  ahead: picturesAhead,
  async run(state, place) {
    const { subject, train, captioned } = state;
    const answer = await ask(place, {
      prompt: captioned
        ? t('The prompt of all images; leave it empty to use the caption of each image')
        : t('The prompt of all images: a rare word for the subject, and what it is'),
      value: subject ? (subject.prompt ?? '') : captioned ? '' : usualPrompt(train!),
      problem: (text) =>
        Promise.resolve(
          captioned || text.trim() !== '' ? undefined : t('Enter a prompt: the images have no captions.'),
        ),
    });
    if (typeof answer === 'string') return answer;
    const prompt = answer.text.trim();
    state.subject = { ...subject, ...(prompt !== '' && { prompt }) };
    if (prompt === '') delete state.subject.prompt;
    return 'next';
  },
};

/** The prompt without the rare word. */
const usualClassPrompt = ({ prompt = '' }: SubjectDraft): string =>
  prompt.replace(/\bsks\s+/, '') || 'a photo';

const classImagesStep: Step<WizardState> = {
  applies: drawsPictures,
  ahead: picturesAhead,
  async run(state, place) {
    const folders = (await workspaceFolders(state)).filter(({ path }) => path !== state.train);
    const { classImages } = state.subject!;
    const picked = await pickFolder(place, {
      folders,
      placeholder: t('Select images of others of its class, so that the model does not forget them'),
      active: classImages?.path,
      above: [{ label: t('None'), description: t('without prior preservation') }],
    });
    if (picked === 'none') {
      delete state.subject!.classImages;
      return 'next';
    }
    if (typeof picked === 'string') return picked;
    return askClassPrompt(state, place, picked.path);
  },
};

async function askClassPrompt(state: WizardState, place: Place, path: string): Promise<Outcome> {
  const subject = state.subject!;
  const answer = await ask(place, {
    prompt: t('The prompt of the class images'),
    value: subject.classImages?.prompt ?? usualClassPrompt(subject),
    problem: (text) => Promise.resolve(text.trim() === '' ? t('Enter a prompt.') : undefined),
  });
  if (typeof answer === 'string') return answer;
  subject.classImages = { path, prompt: answer.text.trim() };
  return 'next';
}

export const pictureSteps = [trainStep, promptStep, classImagesStep];
