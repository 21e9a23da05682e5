import { t } from '../../base/l10n';
import type { Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { kindOf } from '../language/checks/check-files';
import { readDataHead } from '../language/data-head';
import { guessTests } from '../language/guess-columns';
import { imageSources, sourceItem, type SourceItem } from './image-sources';
import { drawsPictures, readsImages } from './paths';
import { dataFiles, type WizardState } from './wizard-state';

/** A file or folder that looks like a test set: asked only where there is one, since most data have none. */
export const testStep: Step<WizardState> = {
  async applies(state) {
    state.tests = drawsPictures(state) ? [] : await testsOf(state);
    if (state.tests.length === 0 || !state.tests.includes(state.test ?? '')) delete state.test;
    return state.tests.length > 0;
  },
  async run(state, place) {
    const items: SourceItem[] = [
      ...state.tests!.map(sourceItem),
      { label: t('None'), description: t('data.test and data.evaluations can be added to the file later') },
    ];
    const picked = await pick<SourceItem>(place, {
      items,
      placeholder: t('Select the test set. It is scored once, when training has ended.'),
      active: items.find((i) => i.source !== undefined && i.source === state.test) ?? items[0],
    });
    if (typeof picked === 'string') return picked;
    const [{ source }] = picked;
    if (source === undefined) delete state.test;
    else state.test = source;
    return 'next';
  },
};

/** Folders beside a folder, or files with the columns of the training file, which test files without labels lack. */
async function testsOf(state: WizardState): Promise<string[]> {
  const { train, validation, headOfData, known } = state;
  const images = readsImages(state);
  // The test files of the paper's data sets of texts have no labels, or hidden ones.
  if (known && !images) return [];
  const all = images ? await imageSources(state) : await dataFiles(state);
  const likely = guessTests(
    train!,
    all.filter((path) => path !== train && path !== validation),
  );
  const needed = Object.values(state.columns!).flat();
  const fits = async (path: string) => {
    if (!headOfData) return (await kindOf(path)) === 'folder';
    const head = await readDataHead(path).catch(() => undefined);
    const names = head?.columns.map((c) => c.name) ?? [];
    return needed.every((name: string) => names.includes(name));
  };
  const fitting = await Promise.all(likely.map(fits));
  return likely.filter((_, i) => fitting[i]);
}
