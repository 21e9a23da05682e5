import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { snapshotFolder } from '../../../files/hub-cache';
import { referenceTo } from '../../../hub/cache';
import type { Hub } from '../../../hub/hub-client';
import type { DataRecipe } from '../../../recipes/data/data-kind';
import type { ParsedArgs } from '../../command';
import { openHub, type Plan } from '../get/download-plan';
import { fetchPlans } from '../get/fetch';
import { dataOf, modelOf } from '../start';
import type { Sources } from './table-experiment';

/** An experiment of a table that has not been written yet. */
export interface Lacking {
  id: string;
  /** Undefined for pictures of a subject. */
  recipe?: DataRecipe;
}

/** The model and the data of each experiment by its id, or the reason why its data cannot be had. */
export type Found = ReadonlyMap<string, Sources | AuroraError>;

/**
 * Finds model and data, here or on the hub: shows what is missing, asks, and downloads it.
 *
 * @param data the folder with the data sets; those of the hub if undefined
 * @returns undefined if it was only to be shown, or nobody agreed
 * @throws AuroraError if the model cannot be had, or nobody can be asked
 */
export async function findSources(
  { model, data }: { model: string; data?: string },
  lacking: readonly Lacking[],
  args: ParsedArgs,
): Promise<Found | undefined> {
  const hub = openHub();
  const modelPlan = await modelOf(hub, model, args);
  const found = new Map<string, Plan | string | AuroraError>();
  for (const { id, recipe } of lacking)
    found.set(id, data === undefined ? await planOrError(hub, id, args) : folderOf(data, recipe));
  const plans = [modelPlan, ...found.values()].filter(isPlan);
  if (plans.length > 0 && !(await fetchPlans(hub, plans, args))) return undefined;
  const of =
    typeof modelPlan === 'string'
      ? { model: modelPlan }
      : { model: (await modelPlan.got())[0]!.path, beside: modelPlan.beside };
  const sources = [...found].map(([id, where]): [string, Sources | AuroraError] => {
    if (where instanceof AuroraError) return [id, where];
    const folder =
      typeof where === 'string' ? where : snapshotFolder(hub.settings.cache, referenceTo(where.info, ''));
    return [id, { ...of, folder }];
  });
  return new Map(sources);
}

const isPlan = (value: Plan | string | AuroraError): value is Plan =>
  typeof value !== 'string' && !(value instanceof AuroraError);

/** One data set that is gone must not keep the others from being trained. */
async function planOrError(hub: Hub, id: string, args: ParsedArgs): Promise<Plan | string | AuroraError> {
  try {
    return await dataOf(hub, id, args);
  } catch (e) {
    if (e instanceof AuroraError) return e;
    throw e;
  }
}

/** The folder of a data set below a common one, by one of its names; otherwise the common one itself. */
function folderOf(root: string, recipe: DataRecipe | undefined): string {
  if (!recipe || !existsSync(root)) return root;
  const names = [recipe.name, basename(recipe.id), basename(recipe.alias ?? recipe.id)].map(plain);
  const within = readdirSync(root, { withFileTypes: true }).find(
    (entry) => entry.isDirectory() && names.includes(plain(entry.name)),
  );
  return within ? resolve(join(root, within.name)) : root;
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
