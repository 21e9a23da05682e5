import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { changeUser } from '../../../runs/user';
import { namesOf } from '../../ask/pick';
import type { RunEntry } from '../../runs/store';
import type { Services } from '../../services';
import { changedTags, tagChoices, type TagChoice } from './tag-choices';

type Item = vscode.QuickPickItem & { tag: string };

/** Lists all tags of the workspace, checks those of the runs, and offers the typed text as a new one. */
export async function editTags({ store }: Services, runs: readonly RunEntry[]): Promise<void> {
  const known = (await store.runs()).flatMap((r) => r.user.tags ?? []);
  const choices = tagChoices(
    known,
    runs.map((r) => r.user.tags ?? []),
  );
  const picked = await askTags(choices, runs);
  if (!picked) return;
  for (const run of runs) {
    const tags = changedTags(run.user.tags ?? [], choices, picked);
    changeUser(run.folder, { tags });
  }
  await Promise.all(runs.map((run) => store.refreshRun(run.folder)));
}

/** The checked tags; undefined if the user canceled. */
function askTags(choices: readonly TagChoice[], runs: readonly RunEntry[]): Promise<string[] | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = t('Tags of {0}', namesOf(runs));
  pick.placeholder = t('Select tags, or type a new one');
  pick.canSelectMany = true;
  pick.ignoreFocusOut = true;
  let known: Item[] = choices.map(({ tag, has }) => ({
    label: tag,
    tag,
    description: has === 'some' ? t('some of the selected runs') : undefined,
  }));
  const typed = (): string => pick.value.trim();
  const show = () => {
    const checked = pick.selectedItems;
    const isNew = typed() !== '' && !known.some((item) => item.tag === typed());
    const add: Item = {
      label: typed(),
      tag: typed(),
      description: t('new tag'),
      alwaysShow: true,
    };
    pick.items = isNew ? [add, ...known] : known;
    pick.selectedItems = pick.items.filter((item) => checked.some((c) => c.tag === item.tag));
  };
  pick.items = known;
  pick.selectedItems = known.filter((_, i) => choices[i].has === 'all');
  return new Promise((resolve) => {
    pick.onDidChangeValue(show);
    pick.onDidChangeSelection((selected) => {
      // A new tag that was checked stays, and the next one can be typed.
      const added = selected.filter((s) => !known.some((k) => k.tag === s.tag));
      known = [...added.map((item) => ({ ...item, description: undefined })), ...known];
    });
    pick.onDidAccept(() => {
      const checked = pick.selectedItems.map((item) => item.tag);
      // A new tag that was only typed is meant, too.
      const isNew = typed() !== '' && !known.some((item) => item.tag === typed());
      resolve(isNew ? [...checked, typed()] : checked);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}
