import type { TaskName } from '../../experiment/tasks/registry';
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
 * The paper's data set that a training file belongs to, by the names of the file and its folder: "RTE/train.tsv".
 * Undefined if it is none of them, or is used for another task.
 *
 * @param path with the separators of any platform
 */
export function knownData(path: string, task: TaskName): KnownData | undefined {
  const end = `/${path.replaceAll('\\', '/').toLowerCase()}`;
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
