import { setTimeout as wait } from 'node:timers/promises';
import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { inputBox } from '../messages/input';
import { titleAt, type Place } from './run-steps';

/** Typing has paused. */
const PAUSE_MS = 300;

export interface Choices<I extends vscode.QuickPickItem> {
  items: readonly I[];
  placeholder: string;
  active?: I;
  /** For typed text that matches no item yet. */
  typed?: (value: string) => I | undefined;
  many?: { selected: readonly I[]; describe: (chosen: readonly I[]) => string };
  /**
   * Adds details to the items that take a while to find out; the items are shown without them at first. Must not
   * reject.
   */
  fill?: (items: readonly I[]) => Promise<readonly I[]>;
}

/**
 * A quick pick with step numbers and a Back button. Returns the picked items (several with `many`), or another step to
 * go to.
 */
export function pick<I extends vscode.QuickPickItem>(
  place: Place,
  { items, placeholder, active, typed, many, fill }: Choices<I>,
): Promise<readonly I[] | 'back' | 'cancel'> {
  const input = vscode.window.createQuickPick<I>();
  const title = titleAt(place);
  Object.assign(input, {
    title,
    placeholder,
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  let shown = 0;
  const show = async (chosen: readonly I[], pause = 0) => {
    const mine = ++shown;
    input.items = chosen;
    if (!fill) return;
    input.busy = true;
    await wait(pause);
    if (mine !== shown) return;
    const filled = await fill(chosen);
    if (mine !== shown) return;
    input.busy = false;
    const at = input.activeItems[0]?.label;
    input.keepScrollPosition = true;
    input.items = filled;
    input.activeItems = filled.filter((i) => i.label === at);
  };
  void show(items);
  if (place.step > 1) input.buttons = [vscode.QuickInputButtons.Back];
  if (active) input.activeItems = [active];
  if (many) {
    input.canSelectMany = true;
    input.selectedItems = many.selected;
    const describe = () => (input.title = `${title}: ${many.describe(input.selectedItems)}`);
    describe();
    input.onDidChangeSelection(describe);
  }
  if (typed)
    input.onDidChangeValue((value) => {
      const item = typed(value.trim());
      void show(item ? [item, ...items] : items, PAUSE_MS);
    });
  return new Promise((resolve) => {
    const end = (result: readonly I[] | 'back' | 'cancel') => {
      resolve(result);
      input.dispose();
    };
    input.onDidTriggerButton(() => end('back'));
    input.onDidAccept(() => {
      if (input.selectedItems.length > 0) end([...input.selectedItems]);
      else if (many) input.title = `${title}: ${t('select at least one')}`;
    });
    input.onDidHide(() => end('cancel'));
    input.show();
  });
}

/** An input box with step numbers and a Back button. `problem` returns the reason why an input is not valid. */
export function ask(
  place: Place,
  {
    prompt,
    value,
    problem,
  }: { prompt: string; value: string; problem: (value: string) => Promise<string | undefined> },
): Promise<{ text: string } | 'back' | 'cancel'> {
  const title = titleAt(place);
  const { input, refuse } = inputBox({ title, prompt, value, ignoreFocusOut: true });
  input.valueSelection = [0, value.replace(/\.aurora\.json$/, '').length];
  if (place.step > 1) input.buttons = [vscode.QuickInputButtons.Back];
  return new Promise((resolve) => {
    const end = (result: { text: string } | 'back' | 'cancel') => {
      resolve(result);
      input.dispose();
    };
    input.onDidChangeValue(async (text) => refuse(await problem(text)));
    input.onDidTriggerButton(() => end('back'));
    input.onDidAccept(async () => {
      const text = input.value;
      const why = await problem(text);
      if (why === undefined) end({ text });
      else refuse(why);
    });
    input.onDidHide(() => end('cancel'));
    input.show();
  });
}
