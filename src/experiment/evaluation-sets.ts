import type { DataSpec } from './experiment';

/** The settings for reading a file; those that a set leaves out are the experiment's own. */
export type SetColumns = Partial<
  Pick<
    DataSpec,
    | 'textColumn'
    | 'textPairColumn'
    | 'imageColumn'
    | 'labelColumn'
    | 'labelColumns'
    | 'labelSeparator'
    | 'completionColumn'
    | 'choicesColumn'
    | 'choiceColumns'
    | 'messagesColumn'
    | 'header'
    | 'quoting'
  >
>;

/** An entry of data.evaluations. */
export interface EvaluationSpec extends SetColumns {
  path: string;
}

/** A file that the best adapter is scored on when training has ended. */
export interface EvaluationSet {
  /** In data.evaluations; undefined for data.test. */
  name: string | undefined;
  path: string;
  /** The setting that names the file, as keys. */
  key: readonly string[];
  columns: SetColumns;
}

/**
 * The data on which a trained model is measured, as in files and commands: the validation data, data.test, or a set by
 * name.
 */
export type MeasuredOn = 'validation' | ScoredOn;
export type ScoredOn = 'test' | `evaluations.${string}`;

/** @param name in data.evaluations; undefined for data.test */
export const scoredOn = (name: string | undefined): ScoredOn =>
  name === undefined ? 'test' : `evaluations.${name}`;

/** For display: "validation", "test", or a set's name. */
export const setName = (on: MeasuredOn): string => on.replace(/^evaluations\./, '');

/** Undefined if the string names no set. The caller checks that the experiment has the set. */
export const parseMeasuredOn = (text: string): MeasuredOn | undefined =>
  text === 'validation' || text === 'test' || /^evaluations\../s.test(text)
    ? (text as MeasuredOn)
    : undefined;

/** data.test first, then data.evaluations in their order. */
export function evaluationSets({
  test,
  evaluations = {},
}: Pick<DataSpec, 'test' | 'evaluations'>): EvaluationSet[] {
  return [
    ...(test === undefined ? [] : [{ name: undefined, path: test, key: ['data', 'test'], columns: {} }]),
    ...Object.entries(evaluations).map(([name, { path, ...columns }]) => ({
      ...{ name, path, columns },
      key: ['data', 'evaluations', name, 'path'],
    })),
  ];
}

/** Settings of which a row has one: a set that names one does not inherit the other. */
const INSTEAD = {
  labelColumn: ['labelColumns'],
  labelColumns: ['labelColumn', 'labelSeparator'],
  completionColumn: ['messagesColumn', 'choicesColumn', 'choiceColumns'],
  choicesColumn: ['completionColumn', 'choiceColumns'],
  choiceColumns: ['completionColumn', 'choicesColumn'],
  messagesColumn: ['completionColumn'],
} as const;

/** The experiment's data with a set's file, read with its columns, in place of the validation file. */
export function dataOfSet(data: DataSpec, { path, columns }: EvaluationSet): DataSpec {
  const own: DataSpec = { ...data };
  for (const [given, others] of Object.entries(INSTEAD))
    if (Object.hasOwn(columns, given)) for (const other of others) delete own[other];
  return { ...own, ...columns, validation: path };
}
