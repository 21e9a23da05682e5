import { html, nothing } from 'lit';
import { columnTitle } from '../../src/study/runs-table/runs-columns';
import type { Column } from '../../src/study/runs-table/table';
import { t } from '../../src/base/l10n';

/** Which columns are shown, by what they are about; settings that are the same in all runs come last. */
export function columnsMenu(
  columns: readonly Column[],
  shown: readonly Column[],
  actions: { choose(keys: string[]): void; reset(): void },
) {
  const keys = new Set(shown.map((c) => c.key));
  const parts: [string, Column[]][] = [
    [t('Run'), columns.filter((c) => c.kind === 'run' && !c.metric)],
    [t('Metrics'), columns.filter((c) => c.metric)],
    [t('Settings that differ'), columns.filter((c) => c.kind === 'setting' && c.same === undefined)],
    [t('Settings that are the same'), columns.filter((c) => c.kind === 'setting' && c.same !== undefined)],
  ];
  const toggle = (column: Column, on: boolean) => {
    const left = shown.map((c) => c.key).filter((key) => key !== column.key);
    if (!on) return actions.choose(left);
    // In the order of the menu, unless the user's order differs from it.
    const chosen = new Set([...left, column.key]);
    actions.choose(columns.filter((c) => chosen.has(c.key)).map((c) => c.key));
  };
  return html`<details class="menu" name="runs-menu" data-menu="columns" @keydown=${closeOnEscape}>
    <summary>${t('Columns')}</summary>
    <div class="popup">
      ${parts.map(([title, list]) =>
        list.length === 0
          ? nothing
          : html`<fieldset>
              <legend>${title}</legend>
              ${list.map(
                (column) =>
                  html`<label title=${column.key}
                    ><input
                      type="checkbox"
                      data-column=${column.key}
                      .checked=${keys.has(column.key)}
                      ?disabled=${keys.size === 1 && keys.has(column.key)}
                      @change=${(e: Event) => toggle(column, (e.target as HTMLInputElement).checked)}
                    />${columnTitle(column)}</label
                  >`,
              )}
            </fieldset>`,
      )}
      <button class="link" @click=${actions.reset}>${t('Reset')}</button>
    </div>
  </details>`;
}

/** Closes a menu that the key is pressed in, and returns to its button. */
export function closeOnEscape(e: KeyboardEvent): void {
  const menu = e.currentTarget as HTMLDetailsElement;
  if (e.key !== 'Escape' || !menu.open) return;
  menu.open = false;
  menu.querySelector('summary')!.focus();
  e.stopPropagation();
}
