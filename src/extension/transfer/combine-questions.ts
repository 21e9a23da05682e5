import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { COMBINATIONS, combinationSteps, combinationWords } from '../../protocol/combination';
import { runItem } from '../ask/run-item';
import { runLabel } from '../../runs/run-labels';
import { askText } from '../messages/input';
import type { RunEntry } from '../runs/store';

/**
 * The rule of a combination, and the settings that it needs.
 *
 * @returns options of `aurora combine`; undefined if the user canceled
 */
export async function askCombination(runs: readonly RunEntry[]): Promise<readonly string[] | undefined> {
  const items = COMBINATIONS.map((combination) => ({
    label: combination,
    detail: combinationWords(combination),
    combination,
  }));
  const title = t('Combine {0} adapters by', runs.length);
  const picked = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
  if (!picked) return undefined;
  const { prunes, elects, decomposes } = combinationSteps(picked.combination);
  const questions: (() => Promise<readonly string[] | undefined>)[] = [
    () => askWeights(runs, elects),
    ...(prunes ? [askDensity] : []),
    ...(decomposes ? [() => askRank(runs)] : []),
    // Heads are not combined.
    ...(runs.every(({ run }) => run?.spec.task.head === 'linear') ? [() => askHead(runs)] : []),
  ];
  const options = ['--combination', picked.combination];
  for (const question of questions) {
    const given = await question();
    if (!given) return undefined;
    options.push(...given);
  }
  return options;
}

async function askWeights(
  runs: readonly RunEntry[],
  elects: boolean,
): Promise<readonly string[] | undefined> {
  const weight = elects ? '1' : String(Number((1 / runs.length).toFixed(4)));
  const text = await askText({
    title: t('Weights'),
    prompt: t('A number for each adapter, in this order: {0}', runs.map(runLabel).join(', ')),
    value: runs.map(() => weight).join(', '),
    ignoreFocusOut: true,
    validateInput: (given) => {
      const numbers = given.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
      return numbers.length === runs.length && numbers.every(Number.isFinite)
        ? undefined
        : t('Enter {0} numbers, separated by commas.', runs.length);
    },
  });
  return text === undefined ? undefined : [`--weights=${text.replace(/\s/g, '')}`];
}

async function askDensity(): Promise<readonly string[] | undefined> {
  const text = await askText({
    title: t('Density'),
    prompt: t('The share of values to keep'),
    value: '0.5',
    ignoreFocusOut: true,
    validateInput: (given) =>
      given.trim() !== '' && Number(given) > 0 && Number(given) <= 1
        ? undefined
        : t('Enter a number above 0 and at most 1.'),
  });
  return text === undefined ? undefined : ['--density', text.trim()];
}

async function askRank(runs: readonly RunEntry[]): Promise<readonly string[] | undefined> {
  const ranks = runs.flatMap(({ run }) => (run && 'rank' in run.spec.adapter ? [run.spec.adapter.rank] : []));
  const text = await askText({
    title: t('Rank'),
    prompt: t('The rank of the combined adapter'),
    value: String(Math.max(...ranks)),
    ignoreFocusOut: true,
    validateInput: (given) =>
      /^[1-9]\d{0,5}$/.test(given.trim()) ? undefined : t('Enter a whole number of at least 1.'),
  });
  return text === undefined ? undefined : ['--rank', text.trim()];
}

async function askHead(runs: readonly RunEntry[]): Promise<readonly string[] | undefined> {
  const picked = await vscode.window.showQuickPick(runs.map(runItem), {
    title: t('Select the run whose trained head to keep'),
    ignoreFocusOut: true,
  });
  return picked && ['--head-of', picked.run.folder];
}
