import { html, nothing, LitElement } from 'lit';
import { columnTitle } from '../../src/study/runs-table/runs-columns';
import type { Column } from '../../src/study/runs-table/table';
import { t } from '../../src/base/l10n';
import {
  isSameView,
  keptOf,
  type KeptView,
  type SavedChange,
  type SavedView,
  LONGEST_NAME,
  viewName,
  type TableView,
} from '../../src/study/runs-table/saved-views';

/** The menu of columns, by topic; settings that are the same in all runs come last. */
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
function closeOnEscape(e: KeyboardEvent): void {
  const menu = e.currentTarget as HTMLDetailsElement;
  if (e.key !== 'Escape' || !menu.open) return;
  menu.open = false;
  menu.querySelector('summary')!.focus();
  e.stopPropagation();
}

export interface ViewsActions {
  choose(view: SavedView): void;
  change(change: SavedChange): void;
}

/** The workspace's saved views: chosen, saved, updated, renamed and deleted here. */
export class RunsViews extends LitElement {
  static override properties = {
    views: { attribute: false },
    view: { attribute: false },
    actions: { attribute: false },
  };
  declare views: readonly SavedView[];
  declare view: TableView;
  declare actions: ViewsActions;
  /** The view whose name is being edited. */
  renaming = '';
  deleted: SavedView | undefined;
  /** The reason why a name cannot be used. */
  problem = '';
  told = '';

  protected override createRenderRoot(): this {
    return this;
  }

  protected override render(): unknown {
    const { views, deleted } = this;
    const chosen = views.find(({ name }) => name === this.view.saved);
    const changed = chosen !== undefined && !isSameView(chosen.view, this.view);
    return html`<details class="menu" name="runs-menu" data-menu="views" @keydown=${this.key}>
      <summary>
        ${chosen ? (changed ? t('View: {0} (changed)', chosen.name) : t('View: {0}', chosen.name)) : t('Views')}
      </summary>
      <div class="popup">
        ${
          views.length === 0
            ? html`<p class="quiet">
                ${t('A view saves the filter, columns, sort order and grouping under a name.')}
              </p>`
            : html`<ul class="views" aria-label=${t('Saved views')}>
                ${views.map((saved) => this.line(saved, saved === chosen, changed))}
              </ul>`
        }
        ${this.renaming === '' ? this.form(t('Save as'), t('Save'), '', this.save) : nothing}
        ${this.problem === '' ? nothing : html`<p class="problem" id="view-problem" role="alert">${this.problem}</p>`}
        <p class="told">
          <span role="status">${this.told}</span>
          ${deleted ? html`<button class="link" data-action="undo" @click=${this.undo}>${t('Undo')}</button>` : nothing}
        </p>
      </div>
    </details>`;
  }

  private line(saved: SavedView, chosen: boolean, changed: boolean): unknown {
    const { name } = saved;
    if (name === this.renaming)
      return html`<li>${this.form(t('New name'), t('Rename'), name, this.rename)}</li>`;
    const button = (action: string, label: string, spoken: string, act: () => void) =>
      html`<button class="link" data-action=${action} aria-label=${spoken} @click=${act}>${label}</button>`;
    return html`<li data-view=${name}>
      <button
        class="link view-name"
        data-action="choose"
        aria-current=${chosen ? 'true' : nothing}
        @click=${() => this.choose(saved)}
      >
        <span class="mark" aria-hidden="true">${chosen ? '✓' : ''}</span><bdi>${name}</bdi>
      </button>
      ${
        chosen && changed
          ? button('update', t('Update'), t('Update {0}', name), () =>
              this.store(name, t('Updated {0}.', name)),
            )
          : nothing
      }
      ${button('rename', t('Rename'), t('Rename {0}', name), () => this.edit(name))}
      ${button('delete', t('Delete'), t('Delete {0}', name), () => this.delete(saved))}
    </li>`;
  }

  private form(label: string, action: string, value: string, submit: (e: SubmitEvent) => void): unknown {
    return html`<form class="name" @submit=${submit}>
      <label
        >${label}
        <input
          type="text"
          name="view"
          required
          maxlength=${LONGEST_NAME}
          spellcheck="false"
          autocomplete="off"
          value=${value}
          aria-invalid=${this.problem === '' ? 'false' : 'true'}
          aria-describedby=${this.problem === '' ? nothing : 'view-problem'}
          @input=${() => this.set({ problem: '' })}
      /></label>
      <button class="link">${action}</button>
    </form>`;
  }

  private set(state: Partial<Pick<RunsViews, 'renaming' | 'deleted' | 'problem' | 'told'>>): void {
    Object.assign(this, state);
    this.requestUpdate();
  }

  /** An element that was focused may have gone; without another, the keyboard is back at the start of the page. */
  private async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    this.querySelector<HTMLElement>(selector)?.focus();
  }

  private choose(saved: SavedView): void {
    this.actions.choose(saved);
    this.querySelector('details')!.open = false;
    this.querySelector('summary')!.focus();
  }

  private store(name: string, told: string, view: KeptView = keptOf(this.view)): void {
    this.actions.change({ type: 'saveView', name, view });
    this.set({ told, problem: '', deleted: undefined });
    void this.focusOn('[name=view]');
  }

  private readonly save = (e: SubmitEvent): void => {
    const name = this.nameIn(e);
    if (name === undefined) return;
    this.store(name, t('Saved {0}.', name));
    this.actions.choose({ name, view: keptOf(this.view) });
    (e.target as HTMLFormElement).reset();
  };

  private readonly rename = (e: SubmitEvent): void => {
    const name = this.renaming;
    const to = this.nameIn(e, name);
    if (to === undefined) return;
    if (to !== name) {
      this.actions.change({ type: 'renameView', name, to });
      if (this.view.saved === name) this.actions.choose({ name: to, view: keptOf(this.view) });
    }
    this.set({ renaming: '', told: to === name ? '' : t('Renamed {0} to {1}.', name, to) });
    void this.focusOn('[name=view]');
  };

  private async edit(name: string): Promise<void> {
    this.set({ renaming: name, problem: '', told: '', deleted: undefined });
    await this.updateComplete;
    this.querySelector<HTMLInputElement>('[name=view]')?.select();
  }

  private delete(saved: SavedView): void {
    this.actions.change({ type: 'deleteView', name: saved.name });
    this.set({ deleted: saved, problem: '', told: t('Deleted {0}.', saved.name) });
    void this.focusOn('[data-action=undo]');
  }

  private readonly undo = (): void => {
    const { name, view } = this.deleted!;
    this.store(name, t('Restored {0}.', name), view);
  };

  /** The name in a form, if it can be given to a view that is now called `own`. */
  private nameIn(e: SubmitEvent, own = ''): string | undefined {
    e.preventDefault();
    const typed = (new FormData(e.target as HTMLFormElement).get('view') as string).trim();
    const name = viewName(typed);
    const taken = name !== own && this.views.some((v) => v.name === name);
    if (name !== undefined && !taken) return name;
    this.set({
      problem: taken
        ? t('There is a view named {0}. Use another name.', typed)
        : t('A name must have 1 to {0} characters and no control characters.', LONGEST_NAME),
    });
    return undefined;
  }

  private readonly key = (e: KeyboardEvent): void => {
    if (e.key !== 'Escape' || this.renaming === '') return closeOnEscape(e);
    const name = this.renaming;
    this.set({ renaming: '', problem: '' });
    void this.updateComplete.then(() =>
      [...this.querySelectorAll<HTMLElement>('[data-view]')]
        .find((line) => line.dataset.view === name)
        ?.querySelector<HTMLElement>('[data-action=rename]')
        ?.focus(),
    );
    e.stopPropagation();
  };
}
