import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';

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
