import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { TaskColumns } from '../../experiment/tasks/columns';
import type { TaskDescription } from '../../experiment/tasks/kind';
import { describeTask } from '../../experiment/tasks/registry';
import type { Column } from '../../table/head';
import type { Place, Step } from '../ask/run-steps';
import { type Choices, pick } from '../ask/steps';
import { columnFacts, flagColumns } from '../language/data-columns';
import { choiceColumns, guessAnswer, guessFor, isIdentifier } from '../language/guess-columns';
import { notify } from '../messages/notify';
import { labelColumns } from './label-columns';
import { imagesAhead, textsAhead } from './paths';
import type { WizardState } from './wizard-state';

interface ColumnItem extends vscode.QuickPickItem {
  /** Undefined for no column. */
  column?: Column;
}

const kindOf = ({ task }: WizardState): TaskDescription => describeTask(task!);

/** Columns with a text or another single value in each row. */
const singles = ({ headOfData }: WizardState): Column[] => headOfData!.columns.filter((c) => !c.lists);

/** The columns that are not chosen yet. */
const others = ({ headOfData, columns }: WizardState): Column[] =>
  headOfData!.columns.filter(({ name }) => {
    const { text, pair, image, completion, choices = [] } = columns!;
    return ![text, pair, image, completion, ...[choices].flat()].includes(name);
  });

/** The columns as the paper's data set is published, otherwise the likely ones. */
const guessed = (state: WizardState): TaskColumns =>
  state.known?.layout.columns ?? guessFor(state.headOfData!, kindOf(state));

const imageStep: Step<WizardState> = {
  applies: (state) => kindOf(state).input === 'image' && state.headOfData !== undefined,
  ahead: (state) => imagesAhead(state) && 'unlikely',
  async run(state, place) {
    const { columns } = state.headOfData!;
    const likely = columns.find(({ name }) => /image|img|file|path/i.test(name)) ?? columns[0];
    const picked = await pickColumn(state, place, {
      columns,
      placeholder: t('Select the column with the images or their paths'),
      active: state.columns?.image ?? likely?.name,
    });
    if (typeof picked === 'string') return picked;
    const { name } = picked.column!;
    if (state.columns?.image !== name) state.columns = { image: name };
    return 'next';
  },
};

const textStep: Step<WizardState> = {
  applies: (state) => kindOf(state).input !== 'image' && state.headOfData !== undefined,
  ahead: textsAhead,
  async run(state, place) {
    const { answer } = kindOf(state);
    const guess = guessed(state);
    const { columns = guess } = state;
    const picked = await pickColumn(state, place, {
      columns: answer === 'spans' || answer === 'text' ? state.headOfData!.columns : singles(state),
      placeholder:
        answer === 'spans'
          ? t('Select the column with the words')
          : answer === 'text'
            ? t('Select the column with the texts, the prompts, or the conversations')
            : answer === 'choice'
              ? t('Select the column with the questions')
              : t('Select the text column'),
      active: columns.messages ?? columns.text,
    });
    if (typeof picked === 'string') return picked;
    const { name, lists } = picked.column!;
    if (answer === 'text' && lists) state.columns = { messages: name };
    else if (state.columns?.text !== name) state.columns = { text: name };
    return 'next';
  },
};

/** Columns that may hold the second texts: none with numbers, names of rows, or the labels alone. */
function secondTexts(state: WizardState): Column[] {
  const { text, pair } = state.columns!;
  const likely = guessed(state).pair;
  const columns = singles(state).filter(
    (c) => c.name !== text && (!isIdentifier(c) || c.name === pair || c.name === likely),
  );
  const label = guessedAnswer({ ...state, columns: { text } }).label;
  return columns.some((c) => c.name !== label) ? columns : [];
}

const pairStep: Step<WizardState> = {
  applies: (state) => kindOf(state).pairs && secondTexts(state).length > 0,
  ahead: (state) => (state.task === undefined || kindOf(state).pairs) && 'unlikely',
  run: (state, place) =>
    optionalStep(state, place, 'pair', {
      columns: secondTexts(state),
      placeholder: t('Select the second text column, for pairs of texts'),
    }),
};

const completionStep: Step<WizardState> = {
  applies: (state) =>
    kindOf(state).answer === 'text' && state.columns!.messages === undefined && singles(state).length > 1,
  ahead: (state) => (state.task === undefined || kindOf(state).answer === 'text') && 'unlikely',
  run: (state, place) =>
    optionalStep(state, place, 'completion', {
      columns: singles(state).filter((c) => c.name !== state.columns!.text),
      placeholder: t('Select the column with the completions, if the texts are prompts'),
    }),
};

async function optionalStep(
  state: WizardState,
  place: Place,
  key: 'pair' | 'completion',
  asked: { columns: readonly Column[]; placeholder: string },
): Promise<'next' | 'back' | 'cancel'> {
  const { text, [key]: chosen } = state.columns!;
  const guess = guessed(state);
  const picked = await pickColumn(state, place, {
    ...asked,
    active: chosen ?? (guess.text === text ? guess[key] : undefined),
    none: t('None'),
  });
  if (typeof picked === 'string') return picked;
  state.columns = { ...state.columns };
  if (picked.column) state.columns[key] = picked.column.name;
  else delete state.columns[key];
  return 'next';
}

const choicesStep: Step<WizardState> = {
  applies: (state) => kindOf(state).answer === 'choice',
  ahead: (state) => (state.task === undefined ? 'unlikely' : kindOf(state).answer === 'choice'),
  async run(state, place) {
    const { text, choices, completion } = state.columns!;
    const guess = guessed(state);
    const likely = [choices ?? completion ?? guess.choices ?? guess.completion ?? []].flat();
    const items = columnItems(
      state,
      state.headOfData!.columns.filter((c) => c.name !== text),
    );
    const picked = await pick(place, {
      items,
      placeholder: t('Select the column with the choices, or one column for each'),
      many: { selected: items.filter((i) => likely.includes(i.label)), describe: choicesWords },
    });
    if (typeof picked === 'string') return picked;
    state.columns = { text: text!, ...choiceColumns(picked.map((item) => item.column)) };
    return 'next';
  },
};

/** The content of the selected columns. */
function choicesWords(selected: readonly ColumnItem[]): string {
  if (selected.length > 1) return t('{0} columns, each with a choice', selected.length);
  const { choices } = choiceColumns(selected.map((item) => item.column!));
  return choices === undefined
    ? t('answers as sentences, as in Commonsense170K')
    : t('a list of choices in each row');
}

const labelStep: Step<WizardState> = {
  applies: (state) => kindOf(state).columns.label !== undefined && state.headOfData !== undefined,
  ahead: (state) =>
    state.task === undefined || kindOf(state).columns.label !== undefined ? 'likely' : false,
  async run(state, place) {
    const { answer } = kindOf(state);
    if (answer === 'labels') return severalLabels(state, place);
    const columns = others(state).filter((c) => answer === 'spans' || !c.lists);
    const picked = await pickColumn(state, place, {
      columns,
      placeholder:
        answer === 'number'
          ? t('Select the column with the numbers')
          : answer === 'spans'
            ? t('Select the column with the tags')
            : answer === 'choice'
              ? t('Select the column with the right answers')
              : t('Select the label column'),
      active: state.columns!.label ?? guessedAnswer(state).label ?? columns[0]?.name,
    });
    if (typeof picked === 'string') return picked;
    state.columns = { ...state.columns, label: picked.column!.name };
    return 'next';
  },
};

const guessedAnswer = (state: WizardState): TaskColumns =>
  named(state.known?.layout.columns) ??
  guessAnswer({ ...state.headOfData!, columns: others(state) }, kindOf(state));

/** Undefined where the data set's own layout leaves the label open, as folders do. */
const named = (columns: TaskColumns | undefined) => (columns?.label === undefined ? undefined : columns);

/** Asks for one column with all the labels, or a column of 0 and 1 for each. */
async function severalLabels(state: WizardState, place: Place): Promise<'next' | 'back' | 'cancel'> {
  const items = columnItems(state, others(state));
  const flags = flagColumns({ ...state.headOfData!, columns: others(state) });
  const { columns = {} } = state;
  const { label, labels } = (columns.label ?? columns.labels) ? columns : guessedAnswer(state);
  let selected = items.filter((i) => (label === undefined ? labels?.includes(i.label) : i.label === label));
  for (;;) {
    const picked = await pick(place, {
      items,
      placeholder: t('Select the column with the labels, or one 0/1 column for each label'),
      many: {
        selected,
        describe: (chosen) => (chosen.length === 1 ? t('1 column') : t('{0} columns', chosen.length)),
      },
    });
    if (typeof picked === 'string') return picked;
    selected = [...picked];
    const found = labelColumns(
      picked.map((item) => item.label),
      flags,
    );
    if (!('unlike' in found)) {
      const { text, pair } = state.columns!;
      state.columns = { text: text!, pair, ...found };
      return 'next';
    }
    void notify.error(
      t(
        'The column {0} has values other than 0 and 1. Select it alone, or only columns of 0 and 1.',
        found.unlike,
      ),
    );
  }
}

async function pickColumn(
  state: WizardState,
  place: Place,
  {
    columns,
    placeholder,
    active,
    none,
  }: { columns: readonly Column[]; placeholder: string; active: string | undefined; none?: string },
): Promise<{ column?: Column } | 'back' | 'cancel'> {
  const items: ColumnItem[] = [
    ...(none === undefined ? [] : [{ label: none }]),
    ...columnItems(state, columns),
  ];
  const chosen = items.find((i) => i.column !== undefined && i.column.name === active);
  const choices: Choices<ColumnItem> = {
    items,
    placeholder,
    ...((chosen ?? items[0]) && { active: chosen ?? items[0] }),
  };
  const picked = await pick(place, choices);
  if (typeof picked === 'string') return picked;
  const [{ column }] = picked;
  return column ? { column } : {};
}

const columnItems = ({ headOfData }: WizardState, columns: readonly Column[]) => {
  const { rows, whole } = headOfData!;
  return columns.map((column) => {
    const { distinct, samples, name } = columnFacts(column);
    const description = whole
      ? t('{0} different values in {1} rows', distinct, rows)
      : t('{0} different values in the first {1} rows', distinct, rows);
    return { label: name, description, detail: samples.join(' · '), column };
  });
};

export const columnSteps = [imageStep, textStep, pairStep, completionStep, choicesStep, labelStep];
