import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { columnFacts, guessColumns, guessValidation } from '../language/columns';
import { formatOf } from '../../table/files';
import { DATA_FILE, readDataHead } from '../language/data-head';
import { pick, type Place, type Step } from '../ask/steps';
import { pickFile, type WizardState } from './state';

const FILTERS = { Data: ['csv', 'tsv', 'jsonl', 'ndjson', 'gz', 'parquet', 'json'] };

/** The wizard's experiments are on labels of texts; CoNLL files have tags of words. */
const hasLabels = (file: string): boolean => DATA_FILE.test(file) && formatOf(file) !== 'conll';

const trainStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const { t } = vscode.l10n;
    const files = state.files.filter(hasLabels);
    for (;;) {
      const picked = await pickFile(place, {
        files,
        placeholder:
          files.length > 0
            ? t('Select the file with the labeled training texts')
            : t(
                'There is no CSV, TSV, JSONL or Parquet file in this workspace. Browse for the labeled texts.',
              ),
        browse: { title: t('Choose the training data'), filters: FILTERS },
        active: state.train ?? files.find((f) => /train/i.test(basename(f))),
      });
      if (typeof picked === 'string') return picked === 'demo' ? 'cancel' : picked;
      if (await readData(state, picked.path)) return 'next';
    }
  },
};

async function readData(state: WizardState, path: string): Promise<boolean> {
  const { t } = vscode.l10n;
  const head = await readDataHead(path).catch(() => undefined);
  if (!head || head.columns.length < 2) {
    const why = head
      ? t('{0} has only one column, but a text and a label are needed.', basename(path))
      : t('{0} has no rows that can be read as CSV, TSV, JSON or Parquet.', basename(path));
    void vscode.window.showErrorMessage(`${why} ${t('Choose another file.')}`);
    return false;
  }
  if (state.train !== path) {
    delete state.textColumn;
    delete state.labelColumn;
    delete state.validation;
  }
  state.train = path;
  state.headOfData = head;
  return true;
}

const textStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const guess = guessColumns(state.headOfData!);
    const placeholder = vscode.l10n.t('Select the text column');
    const picked = await pickColumn(state, place, placeholder, state.textColumn ?? guess.text);
    if (picked === 'back' || picked === 'cancel') return picked;
    state.textColumn = picked.name;
    return 'next';
  },
};

const labelStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const head = state.headOfData!;
    const others = head.columns.filter((c) => c.name !== state.textColumn);
    const guess = guessColumns({ ...head, columns: others });
    const likely = state.labelColumn ?? guessColumns(head).label ?? guess.label ?? others[0].name;
    const placeholder = vscode.l10n.t('Select the label column');
    const picked = await pickColumn(state, place, placeholder, likely, state.textColumn);
    if (picked === 'back' || picked === 'cancel') return picked;
    state.labelColumn = picked.name;
    return 'next';
  },
};

async function pickColumn(
  { headOfData }: WizardState,
  place: Place,
  placeholder: string,
  active: string | undefined,
  without?: string,
): Promise<{ name: string } | 'back' | 'cancel'> {
  const { t } = vscode.l10n;
  const { rows, whole, columns } = headOfData!;
  const items = columns
    .filter((c) => c.name !== without)
    .map((column) => {
      const { distinct, samples, name } = columnFacts(column);
      const description = whole
        ? t('{0} different values in {1} rows', distinct, rows)
        : t('{0} different values in the first {1} rows', distinct, rows);
      return { label: name, description, detail: samples.join(' · ') };
    });
  const picked = await pick(place, { items, placeholder, active: items.find((i) => i.label === active) });
  return typeof picked === 'string' ? picked : { name: picked[0].label };
}

const validationStep: Step<WizardState> = {
  applies: () => true,
  async run(state, place) {
    const { t } = vscode.l10n;
    const train = state.train!;
    const files = state.files.filter((f) => hasLabels(f) && f !== train);
    const inFolder = files.filter((f) => dirname(f) === dirname(train)).map((f) => basename(f));
    const likely = guessValidation(basename(train), inFolder);
    const shares = [0.1, 0.2].map((share) => ({
      label: t('Hold out {0} % of the training file', 100 * share),
      description: t('a random split that depends on the seed'),
      value: share as string | number | undefined,
    }));
    const others = files.map((f) => ({
      label: basename(f),
      description: vscode.workspace.asRelativePath(f),
      value: f as string | number | undefined,
    }));
    const browse = {
      label: `$(folder-opened) ${t('Browse …')}`,
      description: '',
      value: undefined,
      alwaysShow: true,
    };
    const wanted = state.validation ?? (likely === undefined ? 0.1 : join(dirname(train), likely));
    for (;;) {
      const picked = await pick(place, {
        items: [...shares, ...others, browse],
        placeholder: t('Select the validation data'),
        active: [...shares, ...others].find((i) => i.value === wanted),
      });
      if (typeof picked === 'string') return picked;
      state.validation = picked[0].value ?? (await browseFor());
      if (state.validation !== undefined) return 'next';
    }
  },
};

async function browseFor(): Promise<string | undefined> {
  const title = vscode.l10n.t('Choose the validation data');
  const chosen = await vscode.window.showOpenDialog({ title, filters: FILTERS });
  return chosen?.[0]?.fsPath;
}

export const dataSteps = [trainStep, textStep, labelStep, validationStep];
