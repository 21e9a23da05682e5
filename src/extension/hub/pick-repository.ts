import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { isRepoName, type HubKind } from '../../experiment/hub-reference';
import type { FoundRepo } from '../../protocol/hub';
import { titleAt, type Place } from '../ask/run-steps';
import { messageOf } from '../ask/message-of';
import type { Services } from '../services';
import { foundRow } from '../words/hub-text';
import { hubHost } from './host';
import { searchHub } from './hub-program';
import { LastQuery, suggestions, type NamedItem } from './repository-suggestions';

/** A hub has so many names with one letter that they are of no use. */
const SHORTEST = 2;

export interface Asked {
  /** The earlier input. */
  text: string;
}

/**
 * Asks for a repository, and searches as the user types. The paper's own are listed first, without a request.
 *
 * @param asked keeps the input, for the next time
 * @returns its name, or one of the paper's names of data sets; undefined if the user canceled
 */
export function pickRepository(
  services: Services,
  kind: HubKind,
  place: Place,
  asked: Asked,
): Promise<string | undefined> {
  const input = vscode.window.createQuickPick<NamedItem>();
  Object.assign(input, {
    title: titleAt(place),
    placeholder:
      kind === 'model'
        ? t('Select a model, or type to search {0}', hubHost())
        : t('Select a data set, or type to search {0}', hubHost()),
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
    value: asked.text,
    // Not in the API's types yet. The order of the hub's answer, by downloads, is more informative than that of the
    // names.
    sortByLabel: false,
  });
  const paper = kind === 'model' ? t('The AuroRA paper’s models') : t('The AuroRA paper’s data sets');
  const own = [separator(paper), ...suggestions(kind)];
  const query = new LastQuery((text, signal) => found(services, kind, text, signal));
  const show = async (value: string) => {
    const text = value.trim();
    asked.text = value;
    const rest = rowsBeside(own, text);
    // The paper's own are filtered by VS Code; what the hub found has been filtered.
    input.items = [...own, ...rest];
    input.busy = text.length >= SHORTEST;
    if (!input.busy) return query.cancel();
    const repos = await query.ask(text).catch((e: unknown) => e as Error);
    if (repos === undefined) return;
    input.busy = false;
    const active = input.activeItems[0]?.label;
    input.keepScrollPosition = true;
    const known = Array.isArray(repos) && repos.some(({ id }) => id === text);
    input.items = [
      ...own,
      ...(Array.isArray(repos) ? repoRows(repos, own) : [failure(repos)]),
      ...(known ? [] : rest),
    ];
    // The exact name alone was there before; the hub's results come first.
    input.activeItems = input.items.filter((item) => item.label === active && !rest.includes(item));
  };
  return new Promise((resolve) => {
    const end = (name?: string) => {
      query.cancel();
      resolve(name);
      input.dispose();
    };
    input.onDidChangeValue((value) => void show(value));
    input.onDidAccept(() => {
      // The selection is empty if the rows were replaced at the moment of the key press.
      const item = input.selectedItems[0] ?? input.activeItems[0];
      if (item?.name !== undefined) end(item.name);
    });
    input.onDidHide(() => end());
    void show(asked.text);
    input.show();
  });
}

async function found(
  services: Services,
  kind: HubKind,
  text: string,
  signal: AbortSignal,
): Promise<FoundRepo[]> {
  const source = new vscode.CancellationTokenSource();
  signal.addEventListener('abort', () => source.cancel());
  try {
    return await searchHub(services, kind, text, source.token);
  } finally {
    source.dispose();
  }
}

function repoRows(repos: readonly FoundRepo[], own: readonly NamedItem[]): NamedItem[] {
  const others = repos.filter(({ id }) => !own.some(({ name }) => name === id));
  const rows = others.map((repo): NamedItem => ({
    ...foundRow(repo, Date.now(), vscode.env.language),
    name: repo.id,
    alwaysShow: true,
  }));
  return rows.length === 0 ? [] : [separator(hubHost()), ...rows];
}

/** The name as it is typed: private repositories, and those of a mirror without a search, are not found. */
function rowsBeside(own: readonly NamedItem[], text: string): NamedItem[] {
  if (text === '' || !isRepoName(text) || own.some(({ name }) => name === text)) return [];
  return [
    separator(t('By its exact name')),
    {
      label: `$(arrow-right) ${text}`,
      description: t('open it if it exists'),
      name: text,
      alwaysShow: true,
    },
  ];
}

function failure(e: Error): NamedItem {
  const message = e instanceof AuroraError ? messageOf({ message: e.message }) : e.message;
  const detail =
    e instanceof AuroraError && e.hint !== undefined ? messageOf({ message: e.hint }) : undefined;
  return { label: `$(error) ${message}`, detail, alwaysShow: true };
}

const separator = (label: string): NamedItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
