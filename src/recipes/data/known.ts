import type { TaskName } from '../../experiment/tasks/registry';
import { describeTask } from '../../experiment/tasks/registry';
import { referenceOf } from '../../experiment/hub-reference';
import { singleName } from './files';
import { HUB_SETS } from './hub-sets';
import type { DataRecipe, Layout } from './kind';
import { DATA_RECIPES } from './registry';

/** A training file of one of the paper's data sets. */
export interface KnownData {
  recipe: DataRecipe;
  layout: Layout;
}

/** Names of files and folders that any data set may have. */
const COMMON = /^(train\b.*|data|default|plain_text|)$/;

/**
 * The paper's data set that a training file belongs to, by the names of the file and its folder: "RTE/train.tsv". A
 * pattern counts as the file that its numbered set could be.
 * Undefined if it is none of them, or is used for another task.
 *
 * @param path with the separators of any platform
 */
export function knownData(path: string, task: TaskName): KnownData | undefined {
  const ofHub = knownOnHub(path, task);
  if (ofHub) return ofHub;
  const end = `/${singleName(path.replaceAll('\\', '/').toLowerCase())}`;
  for (const recipe of DATA_RECIPES)
    for (const layout of recipe.layouts.filter(({ columns }) => columns.label ?? columns.completion)) {
      const files = layout.train.flatMap((file) => [
        ...recipe.folders.filter((folder) => !COMMON.test(folder)).map((folder) => `/${folder}/${file}`),
        ...(COMMON.test(file) ? [] : [`/${file}`]),
      ]);
      if (recipe.task.value === task && files.some((file) => end.endsWith(file.toLowerCase())))
        return { recipe, layout };
    }
  return undefined;
}

/**
 * The paper's data set that a folder of images or a table of them belongs to, by a folder's name on the way to it:
 * "EuroSAT_RGB/train", "oxford_pets/train.parquet". Undefined for other tasks.
 *
 * @param path with the separators of any platform
 * @param labeled the columns of the table; without, it is a folder with one folder for each label
 */
export function knownImages(
  path: string,
  task: TaskName,
  labeled?: readonly string[],
): KnownData | undefined {
  if (describeTask(task).input !== 'image') return undefined;
  const ofHub = knownOnHub(path, task);
  if (ofHub) return ofHub;
  const parts = path.replaceAll('\\', '/').split('/').map(plain);
  for (const recipe of DATA_RECIPES.filter((r) => r.task.value === task)) {
    const own = recipe.folders.filter((folder) => !COMMON.test(folder) && folder !== 'images');
    const names = [recipe.name, ...own.map((folder) => folder.split('/')[0])].map(plain);
    if (!parts.some((part) => names.includes(part))) continue;
    const layout = recipe.layouts.find(({ columns }) =>
      labeled ? columns.label !== undefined && labeled.includes(columns.label) : columns.label === undefined,
    );
    return { recipe, layout: layout ?? { ...recipe.layouts[0], columns: {} } };
  }
  return undefined;
}

/** The paper's data set that a file in the hub's cache is from, by its repository and configuration. */
export function hubRecipe(path: string): DataRecipe | undefined {
  const ref = referenceOf(path);
  const set = HUB_SETS.find(({ repo, config }) => repo === ref?.repo && ref.path.startsWith(`${config}/`));
  return DATA_RECIPES.find(({ id }) => id === set?.id);
}

function knownOnHub(path: string, task: TaskName): KnownData | undefined {
  const found = hubRecipe(path);
  const recipe = found?.task.value === task ? found : undefined;
  const layout = recipe?.layouts.find(({ train }) => train.some((file) => file.endsWith('.parquet')));
  return recipe && layout && { recipe, layout };
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
