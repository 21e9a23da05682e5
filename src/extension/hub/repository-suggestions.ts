import { setTimeout as wait } from 'node:timers/promises';
import type { QuickPickItem } from 'vscode';
import { t } from '../../base/l10n';
import { count } from '../../base/number-text';
import type { HubKind } from '../../experiment/hub-reference';
import { HUB_SETS, type HubSet } from '../../recipes/data/hub-sets';
import { DATA_RECIPES } from '../../recipes/data/data-set-registry';
import { HUB_MODELS, type HubModelName } from '../../recipes/model-shapes';

/** A row that names a repository; another row if it has no name. */
export interface NamedItem extends QuickPickItem {
  /** For `aurora get`. */
  name?: string;
}

/** The paper's models or data sets, whose rows need no request. */
export const suggestions = (kind: HubKind): NamedItem[] =>
  kind === 'model' ? HUB_MODELS.map((model) => modelItem(model)) : HUB_SETS.map((set) => setItem(set));

function modelItem({ model, repo }: HubModelName): NamedItem {
  const parts = [model.name, t('{0} parameters', count(model.parameters))];
  return { label: repo, description: parts.join(' · '), name: repo };
}

function setItem({ id, repo, config, copy }: HubSet): NamedItem {
  const recipe = DATA_RECIPES.find((each) => each.id === id);
  const parts = [
    ...(config === 'default' ? [repo] : [repo, config]),
    ...(recipe ? [] : [t('a test of commonsense reasoning')]),
  ];
  return {
    label: id,
    description: parts.join(' · '),
    detail: copy && t('A copy: {0}', copy),
    name: id,
  };
}

/** Typing has paused. */
const PAUSE_MS = 350;

/** Searches for the last input: after a pause, and an earlier search is given up. */
export class LastQuery<T> {
  private current: AbortController | undefined;

  constructor(
    private readonly search: (text: string, signal: AbortSignal) => Promise<T>,
    private readonly pause = PAUSE_MS,
  ) {}

  /** Undefined if another query followed in between. Rejects as the search does. */
  async ask(text: string): Promise<T | undefined> {
    this.cancel();
    const mine = (this.current = new AbortController());
    try {
      await wait(this.pause, undefined, { signal: mine.signal });
      const found = await this.search(text, mine.signal);
      return mine.signal.aborted ? undefined : found;
    } catch (e) {
      if (mine.signal.aborted) return undefined;
      throw e;
    }
  }

  cancel(): void {
    this.current?.abort();
    this.current = undefined;
  }
}
