import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';
import { referenceOf } from '../../experiment/hub-reference';
import { describeTask, type TaskName } from '../../experiment/tasks/registry';
import { singleName } from './files';
import type { DataRecipe, Layout } from './data-kind';
import { DATA_RECIPES } from './data-set-registry';

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

/** A data set of the paper on the Hugging Face hub. */
export interface HubSet {
  /** The name as in the recipes, or as the paper's tables name a test of commonsense reasoning: "glue/rte", "boolq". */
  id: string;
  /** The organisation and the name of its repository. */
  repo: string;
  /** The name of a configuration, which the hub's viewer calls a subset. */
  config: string;
  /** The reference for it. */
  source: string;
  /** The owner of the copy, where its authors have not published it there: it is not checked against the original. */
  copy?: string;
}

/** nyu-mll/glue: configurations of glue.py, which transformers' run_glue.py loads by the same names. */
const glue = (task: string, config: string): HubSet => ({
  id: `glue/${task}`,
  repo: 'nyu-mll/glue',
  config,
  source: 'nyu-mll/glue, by GLUE’s authors; run_glue.py of transformers names its configurations',
});

const authors = (id: string, repo: string, config: string, more = ''): HubSet => ({
  id,
  repo,
  config,
  source: `${repo}, by its authors${more}`,
});

const copy = (id: string, repo: string, config: string, why: string): HubSet => ({
  id,
  repo,
  config,
  source: `a copy, ${repo}: ${why}`,
  copy: why,
});

/** lm-evaluation-harness names these configurations (lm_eval/tasks: winogrande, arc, openbookqa). */
const HARNESS = '; lm-evaluation-harness uses this configuration';

/**
 * The paper's 22 data sets and Commonsense170K, in the order of its tables. Each repository is asked for its
 * splits and the number of files of each.
 */
export const HUB_SETS: readonly HubSet[] = [
  glue('sst-2', 'sst2'),
  glue('mrpc', 'mrpc'),
  glue('cola', 'cola'),
  glue('qnli', 'qnli'),
  glue('rte', 'rte'),
  glue('sts-b', 'stsb'),
  copy(
    'commonsense170k',
    'zwhe99/commonsense_170k',
    'default',
    'LLM-Adapters has published it on GitHub only (ft-training_set/commonsense_170k.json); the columns are the same',
  ),
  authors('boolq', 'google/boolq', 'default'),
  authors('piqa', 'ybisk/piqa', 'plain_text'),
  authors('siqa', 'allenai/social_i_qa', 'default'),
  authors('hellaswag', 'Rowan/hellaswag', 'default'),
  authors('winogrande', 'allenai/winogrande', 'winogrande_xl', HARNESS),
  authors('arc-e', 'allenai/ai2_arc', 'ARC-Easy', HARNESS),
  authors('arc-c', 'allenai/ai2_arc', 'ARC-Challenge', HARNESS),
  authors('obqa', 'allenai/openbookqa', 'main', HARNESS),
  copy(
    'images/oxford-pets',
    'timm/oxford-iiit-pet',
    'default',
    'by the author of timm, with the official splits',
  ),
  copy('images/stanford-cars', 'tanganke/stanford_cars', 'default', 'the original site is gone'),
  authors('images/cifar-10', 'uoft-cs/cifar10', 'plain_text', ', the University of Toronto'),
  copy(
    'images/dtd',
    'mcimpoi/dtd_split_1',
    'default',
    'by DTD’s first author, of the first of its ten splits',
  ),
  copy(
    'images/eurosat',
    'timm/eurosat-rgb',
    'default',
    'by the author of timm; EuroSAT itself has no splits',
  ),
  copy('images/fgvc-aircraft', 'Donghyun99/FGVC-Aircraft', 'default', 'the authors’ own is not on the hub'),
  copy('images/resisc45', 'timm/resisc45', 'default', 'by the author of timm; RESISC45 itself has no splits'),
  authors('images/cifar-100', 'uoft-cs/cifar100', 'cifar100', ', the University of Toronto'),
];

/** Other names of a set: its configuration on the hub ("glue/sst2"), and its name without the folder ("rte", "dtd"). */
const namesOf = ({ id, config }: HubSet): string[] => [
  id,
  id.slice(id.indexOf('/') + 1),
  ...(id.startsWith('glue/') ? [`glue/${config}`, config] : []),
];

/** A set by one of its names; undefined if it is none of them. Capitals do not matter. */
export const hubSet = (name: string): HubSet | undefined =>
  HUB_SETS.find((set) => namesOf(set).includes(name.toLowerCase()));

/** @throws AuroraError 'usage' if the paper has no such set */
export function requireHubSet(name: string): HubSet {
  const found = hubSet(name);
  if (found) return found;
  const near = nearest(
    name.toLowerCase(),
    HUB_SETS.map(({ id }) => id),
  );
  throw new AuroraError(
    'usage',
    `The paper has no data set "${name}".`,
    near === undefined ? `It has ${HUB_SETS.map(({ id }) => id).join(', ')}.` : `Did you mean "${near}"?`,
  );
}
