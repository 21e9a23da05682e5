import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { percent } from '../../base/number-text';
import type { TaskDescription } from '../../experiment/tasks/kind';
import { describeTask } from '../../experiment/tasks/registry';
import { knownData } from '../../recipes/data/hub-sets';
import { formatOf } from '../../table/data-files';
import type { DataHead } from '../../table/head';
import type { Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { DATA_FILE, readDataHead } from '../language/data-head';
import { guessValidation } from '../language/guess-columns';
import { notify } from '../messages/notify';
import { columnSteps } from './column-steps';
import { getData, hubItem, shownName, shownPlace, splitBeside } from './hub-files';
import {
  browseItems,
  imageSources,
  imageTrainStep,
  sourceItem,
  type SourceItem,
  sourceOf,
} from './image-sources';
import { imagesAhead, readsImages, readsTexts, textsAhead } from './paths';
import { pictureSteps } from './picture-steps';
import { testStep } from './test-step';
import { dataFiles, nearFirst, pickFile, type WizardState } from './wizard-state';

const FILTERS = {
  Data: ['csv', 'tsv', 'jsonl', 'ndjson', 'gz', 'parquet', 'json', 'conll', 'iob', 'iob2', 'bio'],
};

/**
 * True for files of data. Other JSON files of the workspace are left out. CoNLL files have tags of words, and no texts.
 */
const suits = ({ task }: WizardState, file: string): boolean =>
  (DATA_FILE.test(file) ||
    (formatOf(file) === 'json' && !/(tokenizer|preprocessor|model_index)[^/\\]*$/i.test(file))) &&
  (formatOf(file) !== 'conll' || describeTask(task!).answer === 'spans');

const trainStep: Step<WizardState> = {
  applies: readsTexts,
  ahead: textsAhead,
  async run(state, place) {
    const files = nearFirst(
      dirname(state.model!),
      (await dataFiles(state)).filter((f) => suits(state, f)),
    );
    for (;;) {
      const picked = await pickFile<'hub'>(place, {
        files,
        placeholder:
          files.length > 0
            ? describeTask(state.task!).columns.label === undefined
              ? t('Select the file with the training texts')
              : describeTask(state.task!).answer === 'choice'
                ? t('Select the file with the training questions')
                : t('Select the file with the labeled training texts')
            : t(
                'No CSV, TSV, JSONL or Parquet files in this workspace. Browse for one, or get one from the hub.',
              ),
        browse: { title: t('Select training data'), filters: FILTERS },
        active: state.train ?? files.find((f) => /train/i.test(shownName(f))),
        extra: [hubItem(t('Get Data Set from the Hub…'))],
      });
      if (picked === 'hub') {
        const got = await getData(state);
        if (got !== undefined && (await readData(state, got))) return 'next';
        continue;
      }
      if (typeof picked === 'string') return picked;
      if (await readData(state, picked.path)) return 'next';
    }
  },
};

async function readData(state: WizardState, path: string): Promise<boolean> {
  const known = knownData(path, state.task!);
  const head = await readDataHead(path, known?.layout.read).catch(() => undefined);
  const why = head
    ? unfit(head, path, describeTask(state.task!))
    : t('{0} has no rows that can be read as CSV, TSV, JSON or Parquet.', basename(path));
  if (!head || why !== undefined) {
    void notify.error(`${why} ${t('Select another file.')}`);
    return false;
  }
  if (state.train !== path) {
    delete state.columns;
    delete state.validation;
  }
  state.train = path;
  state.headOfData = head;
  state.known = known;
  return true;
}

/** The reason why a file lacks the columns that a kind of task reads; undefined if it may have them. */
function unfit({ columns }: DataHead, path: string, task: TaskDescription): string | undefined {
  if (columns.length < 2 && task.columns.label !== undefined)
    return t('{0} has only one column, but a text and a label are needed.', basename(path));
  if (columns.every((c) => c.lists) && task.answer !== 'spans' && task.answer !== 'text')
    return t('{0} has only columns of lists, but a text column is needed.', basename(path));
  return undefined;
}

const imageValidationStep: Step<WizardState> = {
  applies: readsImages,
  ahead: imagesAhead,
  async run(state, place) {
    const sources = nearFirst(
      dirname(state.train!),
      (await imageSources(state)).filter((source) => source !== state.train),
    );
    const shares = [0.1, 0.2].map((share): SourceItem & { share: number } => ({
      label: t('Hold out {0} of the training images', percent(share, 0)),
      description: t('a random split that depends on the seed'),
      share,
    }));
    const items: (SourceItem & { share?: number })[] = [
      ...shares,
      ...sources.map(sourceItem),
      ...browseItems(),
    ];
    const near = [/val|dev/i, /test/i].flatMap((name) => sources.filter((s) => name.test(basename(s))))[0];
    const wanted = state.validation ?? splitBeside(state.train!, sources) ?? near ?? 0.1;
    for (;;) {
      const picked = await pick(place, {
        items,
        placeholder: t('Select validation data'),
        active: items.find((i) => (i.share ?? i.source) === wanted),
      });
      if (typeof picked === 'string') return picked;
      const [{ share }] = picked;
      const validation = share ?? (await sourceOf(picked[0], t('Select validation data')));
      if (validation === undefined) continue;
      state.validation = validation;
      return 'next';
    }
  },
};

const validationStep: Step<WizardState> = {
  applies: readsTexts,
  ahead: textsAhead,
  async run(state, place) {
    const train = state.train!;
    const files = nearFirst(
      dirname(train),
      (await dataFiles(state)).filter((f) => suits(state, f) && f !== train),
    );
    const inFolder = files.filter((f) => dirname(f) === dirname(train)).map((f) => basename(f));
    const likely = guessValidation(basename(train), inFolder);
    const shares = [0.1, 0.2].map((share) => ({
      label: t('Hold out {0} of the training file', percent(share, 0)),
      description: t('a random split that depends on the seed'),
      value: share as string | number | undefined,
    }));
    const others = files.map((f) => ({
      label: shownName(f),
      description: shownPlace(f),
      value: f as string | number | undefined,
    }));
    const browse = {
      label: `$(folder-opened) ${t('Browse…')}`,
      description: '',
      value: undefined,
      alwaysShow: true,
    };
    const wanted =
      state.validation ??
      splitBeside(train, files) ??
      (likely === undefined ? 0.1 : join(dirname(train), likely));
    for (;;) {
      const picked = await pick(place, {
        items: [...shares, ...others, browse],
        placeholder: t('Select validation data'),
        active: [...shares, ...others].find((i) => i.value === wanted),
      });
      if (typeof picked === 'string') return picked;
      state.validation = picked[0].value ?? (await browseFor());
      if (state.validation !== undefined) return 'next';
    }
  },
};

async function browseFor(): Promise<string | undefined> {
  const title = t('Select validation data');
  const chosen = await vscode.window.showOpenDialog({ title, filters: FILTERS });
  return chosen?.[0]?.fsPath;
}

export const dataSteps = [
  trainStep,
  imageTrainStep,
  ...pictureSteps,
  ...columnSteps,
  validationStep,
  imageValidationStep,
  testStep,
];
