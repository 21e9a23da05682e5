import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { bytes } from '../../base/number-text';
import type { HubKind } from '../../experiment/hub-reference';
import { hubCacheFolder } from '../../files/hub-cache';
import type { GotReference, HubData } from '../../protocol/hub';
import { always, type Outcome, runSteps, type Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { CONTEXT } from '../ids';
import type { Services } from '../services';
import { markStep } from '../walkthrough/walkthrough';
import { cardRows, downloadRow, fileRows, repoLine, splitRow, verdictRows } from '../words/hub-text';
import { downloading } from './downloading';
import { pageOf } from './host';
import { type Shown, WHAT } from './hub-program';
import { type Asked, pickRepository } from './pick-repository';
import { showing } from './showing';

/** The content of the cache after a download: a model with its tokenizer, or the splits of a data set. */
export interface Got {
  /** The name of its repository. */
  id: string;
  references: GotReference[];
}

/**
 * Gets files from the hub to this machine: search, details, download.
 *
 * @param given a name, in place of the search
 * @returns undefined if nothing was got
 */
export async function getFromHub(
  services: Services,
  kind: HubKind,
  given?: string,
): Promise<Got | undefined> {
  const state: GetState = { services, kind, asked: { text: '' }, given };
  const title = kind === 'model' ? t('Get Model') : t('Get Data Set');
  if (!(await runSteps(title, getSteps, state))) return undefined;
  const { id } = state.shown!;
  const references = await downloading(services, argumentsOf(state.shown!), {
    title: t('Downloading {0}', id),
    page: pageOf(kind, id),
  });
  if (!references) return undefined;
  markStep(services.context, CONTEXT.hubUsed);
  return { id, references };
}

/** The user's choices so far. */
interface GetState {
  services: Services;
  kind: HubKind;
  asked: Asked;
  /** The name that the command was called with. */
  given?: string;
  /** The repository; of a data set in one configuration, with all of its splits. */
  whole?: Shown;
  /** The planned download. */
  shown?: Shown;
}

/** `aurora get` for the shown repository, at the commit at which it was shown. */
function argumentsOf(shown: Shown): string[] {
  const { id, commit } = shown;
  if (shown.kind === 'model') return ['model', id, '--commit', commit];
  return [...dataArguments(shown), ...shown.splits.flatMap(({ name }) => ['--split', name])];
}

const dataArguments = ({ id, commit, config }: Pick<HubData, 'id' | 'commit' | 'config'>): string[] => [
  ...['data', id, '--commit', commit],
  ...['--config', config],
];

const repositoryStep: Step<GetState> = {
  async applies(state) {
    const { given } = state;
    if (given === undefined) return true;
    delete state.given;
    return !(await look(state, [WHAT[state.kind], given], given));
  },
  async run(state, place) {
    for (;;) {
      const name = await pickRepository(state.services, state.kind, place, state.asked);
      if (name === undefined) return 'cancel';
      if (await look(state, [WHAT[state.kind], name], name)) return 'next';
    }
  },
};

/** False, after a message, if it cannot be read. */
async function look(state: GetState, args: readonly string[], name: string): Promise<boolean> {
  const shown = await showing(state.services, state.kind, args, name);
  if (!shown) return false;
  state.whole = state.shown = shown;
  return true;
}

const dataOf = ({ whole }: GetState): HubData | undefined => (whole?.kind === 'data' ? whole : undefined);

/** The configurations of a data set, unless the name means one of them. */
const configStep: Step<GetState> = {
  applies: (state) => (dataOf(state)?.configs.length ?? 0) > 1 && dataOf(state)!.splits.length === 0,
  async run(state, place) {
    const data = dataOf(state)!;
    const picked = await pick(place, {
      items: data.configs.map((label) => ({ label })),
      placeholder: t('Select the configuration of {0}', data.id),
    });
    if (typeof picked === 'string') return picked;
    const args = dataArguments({ ...data, config: picked[0].label });
    return (await look(state, args, data.id)) ? 'next' : 'cancel';
  },
};

const splitsStep: Step<GetState> = {
  applies: (state) => (dataOf(state)?.splits.length ?? 0) > 1,
  async run(state, place) {
    const data = dataOf(state)!;
    const items = data.splits.map((split) => ({ ...splitRow(split), split }));
    const before = state.shown?.kind === 'data' ? state.shown.splits.map(({ name }) => name) : [];
    const picked = await pick(place, {
      items,
      placeholder: t('Select the splits of {0} to download', `${data.id} ${data.config}`),
      many: {
        selected: items.filter(({ label }) => before.includes(label)),
        describe: (chosen) => bytes(chosen.reduce((sum, { split }) => sum + split.size, 0)),
      },
    });
    if (typeof picked === 'string') return picked;
    const names = picked.map(({ label }) => label);
    if (names.length === data.splits.length) state.shown = data;
    else {
      const args = argumentsOf({ ...data, splits: data.splits.filter(({ name }) => names.includes(name)) });
      const shown = await showing(state.services, state.kind, args, data.id);
      if (!shown) return 'cancel';
      state.shown = shown;
    }
    return 'next';
  },
};

interface DetailsItem extends vscode.QuickPickItem {
  action?: 'download' | 'page';
}

/**
 * The known facts before the download. The row to agree with comes first; if training is impossible, the reason does.
 */
const detailsStep: Step<GetState> = {
  ...always,
  async run({ shown, kind }, place): Promise<Outcome> {
    const items = detailsItems(shown!, kind);
    for (;;) {
      const picked = await pick(place, {
        items,
        placeholder: `${shown!.id} · ${repoLine(shown!)}`,
        active: items[0],
      });
      if (typeof picked === 'string') return picked;
      const [{ action }] = picked;
      if (action === 'download') return 'next';
      if (action === 'page') void vscode.env.openExternal(vscode.Uri.parse(pageOf(kind, shown!.id)));
    }
  },
};

function detailsItems(shown: Shown, kind: HubKind): DetailsItem[] {
  const cache = hubCacheFolder().replace(homedir(), '~');
  const download: DetailsItem = { ...downloadRow(shown, cache), action: 'download' };
  const page: DetailsItem = {
    label: `$(link-external) ${t('Open Page')}`,
    description: pageOf(kind, shown.id),
    action: 'page',
  };
  const about =
    shown.kind === 'model'
      ? verdictRows(shown.verdict)
      : shown.splits.filter(({ partial }) => partial).map((split) => splitRow(split));
  const refused = shown.kind === 'model' && shown.verdict.usable === false;
  return [
    ...(refused ? [...about, download] : [download, ...about]),
    page,
    ...section(t('Card'), cardRows(shown)),
    ...section(t('Files'), fileRows(shown)),
  ];
}

const section = (label: string, rows: vscode.QuickPickItem[]): vscode.QuickPickItem[] =>
  rows.length === 0 ? [] : [{ label, kind: vscode.QuickPickItemKind.Separator }, ...rows];

const getSteps: readonly Step<GetState>[] = [repositoryStep, configStep, splitsStep, detailsStep];
