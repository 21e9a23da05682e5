import { relative } from 'node:path';
import { wrap } from '../../../base/wrap';
import type { Experiment } from '../../../experiment/experiment';
import type { Recipe } from '../../../experiment/paper';
import type { FoundFiles } from '../../../recipes/data/files';
import type { DataRecipe } from '../../../recipes/data/kind';
import { unaskable, type Choices } from '../../../recipes/draft-recipe';
import { count } from '../../../base/number-text';
import { commandLine } from '../../invocation';
import { hints } from '../../quiet';
import { table } from '../../table';
import type { Checked } from './check';
import { written } from './choices';
import { leftOutLines, WIDTH } from './show';
import type { FoundEvaluations } from './evaluations';
import { settingSources } from './sources';

export interface WrittenRecipe {
  out: string;
  recipe: DataRecipe;
  settings: Recipe;
  found: FoundFiles;
  choices: Choices;
  /** Other settings from the command line. */
  others: ReadonlyMap<string, unknown>;
  checked: Checked;
  evaluations: FoundEvaluations;
}

/** A longer value is cut in the table. */
const LONGEST = 40;

/** The written experiment, each value with its source, and the parts that it does not have. */
export function writtenText(all: WrittenRecipe): string {
  const { out, recipe, settings, found, choices, others, checked, evaluations } = all;
  const { spec } = checked;
  const sources = new Map([
    ...settingSources(spec, recipe, found.layout, settings, choices),
    ...[...others.keys()].map((key) => [key, 'your choice (--set)'] as const),
  ]);
  const rows = [...sources].map(([key, source]) => [
    `  ${key}`,
    shortened(written(valueAt(spec, key))),
    source,
  ]);
  return `${[
    `Wrote ${out}`,
    '',
    ...table([['', 'value', 'source'], ...rows], '   '),
    ...unaskable(settings).map((words) => `  Not stated, and no setting: ${words}.`),
    '',
    ...dataLines(checked),
    ...(found.test === undefined ? [] : [`  ${found.test} is not used.`]),
    ...missingLines(evaluations),
    ...(['data.validation', 'data.validationFraction'].some((key) => others.has(key))
      ? []
      : wrap(`Split: ${recipe.split.value}. Source: ${recipe.split.source}.`, WIDTH - 2).map(
          (line) => `  ${line}`,
        )),
    '',
    ...leftOutLines(recipe),
    ...hints('', `Next: ${commandLine('preflight', relative(process.cwd(), out))}`),
  ].join('\n')}\n`;
}

/** Sets that the data set is meant for, and the next steps for them. */
const missingLines = ({ missing }: FoundEvaluations): string[] =>
  missing.length === 0
    ? []
    : wrap(
        `Not found, and so not scored: ${missing.join(', ')}. Add their files to data.evaluations.`,
        WIDTH - 2,
      ).map((line) => `  ${line}`);

const valueAt = (spec: Experiment, key: string): unknown =>
  key
    .split('.')
    .reduce<unknown>((at, part) => Object.entries(at as object).find(([k]) => k === part)?.[1], spec);

const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

function dataLines({ spec, data, adapterParameters }: Checked): string[] {
  const { train, validation, labels, assumed } = data;
  const from = (path: string) => relative(process.cwd(), path);
  const rows = ({ dataset }: typeof train) => count(dataset.examples.length);
  const where = spec.data.validation === undefined ? 'held out' : `of ${from(spec.data.validation)}`;
  const { truncatedCount } = train.dataset;
  return [
    'Read as training will read it:',
    `  ${rows(train)} training rows of ${from(spec.data.train)}, ${rows(validation)} validation rows ${where}.`,
    ...(labels.length > 1 ? [`  Labels: ${labels.join(', ')}.`] : []),
    ...(truncatedCount > 0
      ? [`  ${count(truncatedCount)} training texts are longer than model.maxLength.`]
      : []),
    ...assumed.map(({ message }) => `  ${message}`),
    `  ${count(adapterParameters)} adapter parameters are trained.`,
  ];
}
