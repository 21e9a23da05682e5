import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelSummary } from '../../graph/summary';
import { isHeadAlone } from '../../experiment/methods';
import type { Draft } from '../../recipes/draft';
import { referenceOf } from '../../experiment/hub-reference';
import { DATA_FILE } from '../language/data-head';

/**
 * The output with the hidden states, for a new head, or else with the logits: by name or number of axes; the model's
 * first if undecided.
 */
export function likelyOutput({ outputs }: ModelSummary, head: boolean): string {
  const named = outputs.find((o) => (head ? /hidden/i : /logits/i).test(o.name));
  return (named ?? outputs.find((o) => o.shape?.length === 3) ?? outputs[0]).name;
}

/** Ranks to choose from, up to the limit of the smallest layer. */
export const RANKS = [1, 2, 4, 8, 16, 32, 64];

/** An unused file name in `folder`: NAME.aurora.json, NAME-2.aurora.json … */
export async function freeName(folder: string, name: string): Promise<string> {
  for (let n = 1; ; n++) {
    const free = `${name}${n === 1 ? '' : `-${n}`}.aurora.json`;
    const taken = await access(join(folder, free)).then(
      () => true,
      () => false,
    );
    if (!taken) return free;
  }
}

/** An experiment's default name: its data, without "train", and its method. */
export function draftName({ train, adapter }: Pick<Draft, 'train' | 'adapter'>): string {
  const data = basename(hubData(train) ?? train)
    .replace(DATA_FILE, '')
    // Part of the name of a numbered set.
    .replace(/-\*-of-\d+(-\*)?$/, '')
    .replace(/\.json(\.gz)?$/i, '')
    .replace(/[-_. ]?train(ing)?$/i, '');
  const stem = data === '' ? basename(dirname(train)) : data;
  return `${stem.replace(/[^\p{L}\p{N}._-]+/gu, '-')}-${isHeadAlone(adapter) ? 'head' : adapter.method}`;
}

/** The name for a split in the hub's cache: its configuration, or its repository if that has only one. */
function hubData(train: string): string | undefined {
  const ref = referenceOf(train);
  if (!ref) return undefined;
  const config = /^([^/]+)\/[^/]+\/[^/]+$/.exec(ref.path)?.[1];
  return config === undefined || COMMON.test(config) ? basename(ref.repo) : config;
}

/** Names that any data set's configuration may have, and the folder of files that their author has uploaded. */
const COMMON = /^(default|plain_text|data|main)$/;

/** The reason why a file name is invalid; undefined if it is valid. */
export function nameProblem(name: string): 'empty' | 'slash' | 'ending' | undefined {
  if (/[\\/:*?"<>|]/.test(name)) return 'slash';
  if (!name.endsWith('.aurora.json')) return 'ending';
  return name === '.aurora.json' ? 'empty' : undefined;
}
