import { rmSync } from 'node:fs';
import { findNodeAtLocation } from 'jsonc-parser';
import { basename, dirname, join } from 'node:path';
import { adaptersOn, rankLimit } from '../../../adapters/budget/budget';
import { countOf } from '../../../adapters/budget/budget-comparison';
import { loadModelFrom } from '../../../architectures/load';
import { modelSource } from '../../../architectures/model-source';
import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import { differingKeys, flatSettings } from '../../../experiment/differing-settings';
import type { Experiment } from '../../../experiment/experiment';
import { comparedRates } from '../../../experiment/method-comparison';
import { DEFAULT_METHOD, isNonlinear } from '../../../experiment/methods';
import type { Recipe } from '../../../experiment/paper';
import { writeAtomic } from '../../../files/atomic';
import { summarize } from '../../../graph/summary';
import type { Draft } from '../../../recipes/draft';
import { SCRIPT_DEFAULTS } from '../../../recipes/dreambooth';
import {
  fittedRows,
  isOwnTable,
  rowAdapter,
  type PaperTable,
  type TableExperiment,
  type TableRecipe,
} from '../../../recipes/paper-tables';
import { sizedOn } from '../../../recipes/rivals-table';
import { comparisonText } from '../../../runs/experiment/comparison-text';
import { removeProperty } from '../../../runs/experiment/jsonc';
import { parseExperiment, readText } from '../../../runs/experiment/load';
import { parseText } from '../../../runs/experiment/parse-text';
import { written } from '../recipe/choices';
import { makeDreambooth } from '../recipe/dreambooth';
import { makeRecipe } from '../recipe/recipe';
import { studyExperiment } from './study-experiment';
import type { TableRequest } from './table-request';

/** Where an experiment's model and data are. */
export interface Sources {
  model: string;
  beside?: Pick<Draft, 'tokenizer' | 'preprocessor'>;
  /** The folder of the data set. */
  folder: string;
}

/**
 * Writes an experiment with the paper's settings; `updateTrials` gives it its trials.
 *
 * @param of undefined for pictures of a subject
 * @throws AuroraError for anything that training would stop at
 */
export async function makeExperiment(
  file: string,
  request: TableRequest,
  of: TableRecipe | undefined,
  { model, beside, folder }: Sources,
): Promise<void> {
  // Beside it, since paths in an experiment are relative to its folder. The experiment appears when it is whole.
  const draft = join(dirname(file), `.${basename(file)}`);
  rmSync(draft, { force: true });
  const { set } = request;
  try {
    if (of)
      await makeRecipe(of.recipe, draft, {
        ...{ model, beside, folder, set, method: DEFAULT_METHOD, defaults: true },
        ...(of.size !== 'only' && { size: of.size }),
      });
    else await makeDreambooth(model, folder, draft, DEFAULT_METHOD, set);
    const text = readText(draft);
    // A rate for the head that the paper does not have would stay where it is while the search moves the other.
    const head = 'training.headLearningRate';
    const follows = of?.paper.settings.headLearningRate === undefined && !set.has(head);
    writeAtomic(file, follows ? without(text, head) : text);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Comments stay: the one above a setting is also about those below it. */
function without(text: string, key: string): string {
  const found = findNodeAtLocation(parseText(text).root!, key.split('.'));
  return found ? removeProperty(text, found.parent!) : text;
}

/** An experiment's adapter, and the layers of its model. */
function adapterIn(file: string, text: string, { overrides }: Pick<TableRequest, 'overrides'>) {
  const { adapter, model, task, training } = parseExperiment(file, text, overrides);
  if (!isNonlinear(adapter))
    throw new AuroraError(
      'experiment',
      `${file} does not train AuroRA, from which the methods of the table follow.`,
      'Delete it, so that it is written again.',
    );
  const { layers } = summarize(loadModelFrom(modelSource(model.path), 'structure'));
  return { adapter, task, layers, training };
}

/** The table with ranks and sizes that the layers of the experiment's model allow. */
export function fittedTable(file: string, { table, overrides }: TableRequest): PaperTable {
  const { adapter, task, layers } = adapterIn(file, readText(file), { overrides });
  if (isOwnTable(table.name)) return { ...table, rows: sizedOn(table.rows, layers, { adapter, task }) };
  const most = rankLimit(adaptersOn(layers, adapter).adapters.map(({ layer }) => layer));
  return { ...table, rows: fittedRows(table.rows, most) };
}

/** Gives an experiment the trials that are asked for now; everything else in it stays. */
export function updateTrials(file: string, request: TableRequest): void {
  const text = readText(file);
  const { table, rates, seeds } = request;
  const { adapter, layers, training } = adapterIn(file, text, request);
  const specs = table.rows
    .filter((row) => !row.isMerged && !row.isStatic)
    .map((row) => rowAdapter(row, adapter));
  const updated = comparisonText(text, {
    adapters: specs.map((spec) => ({ spec, parameters: countOf(layers, spec) })),
    learningRates: rates ?? ratesFor(table, training.learningRate),
    seeds,
    staticEpochs: table.rows.some((row) => row.isStatic) ? training.epochs : undefined,
  });
  if (updated !== text) writeAtomic(file, updated);
}

/** The paper's rate is the middle of the search; pictures are not searched, since no score chooses. */
export const ratesFor = ({ name, rates }: PaperTable, rate: number): number[] =>
  rates ?? (name === 'dreambooth' ? [rate] : comparedRates(rate));

/**
 * The settings that differ from those that the paper states, diffusers' script for pictures of a subject or the demo's
 * experiment, and a length of training that the first two do not have.
 */
export function otherSettings(spec: Experiment, { recipe, study }: TableExperiment): string[] {
  if (study !== undefined) return unlikeStudy(spec, studyExperiment(study));
  const { training } = spec;
  const changed = recipe ? unlikePaper(spec, recipe.paper) : unlikeScript(spec);
  return training.maxSteps === undefined ? changed : [...changed, `maxSteps ${training.maxSteps}`];
}

function unlikeStudy(spec: Experiment, study: Experiment): string[] {
  const [here, there] = [flatSettings(spec), flatSettings(study)];
  return differingKeys([here, there]).map(
    (key) => `${key} ${here.get(key) ?? 'not set'} (demo/studies: ${there.get(key) ?? 'not set'})`,
  );
}

function unlikePaper({ model, adapter, training }: Experiment, { settings }: Recipe): string[] {
  const values: Record<string, unknown> = {
    ...training,
    maxLength: model.maxLength,
    ...('dropout' in adapter && { dropout: adapter.dropout }),
  };
  return Object.entries(settings).flatMap(([key, value]) =>
    own(values, key) === value ? [] : [`${key} ${written(own(values, key))} (paper: ${written(value)})`],
  );
}

const unlikeScript = ({ task, training }: Experiment): string[] =>
  SCRIPT_DEFAULTS.flatMap(({ key, value }) => {
    const [section, name] = key.split('.') as ['task' | 'training', string];
    const here = own({ task, training }[section] as unknown as Record<string, unknown>, name);
    return written(here) === written(value)
      ? []
      : [`${name} ${written(here)} (diffusers’ script: ${written(value)})`];
  });
