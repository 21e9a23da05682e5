import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import type { RunPictures } from '../../src/protocol/run-files/pictures';
import { post } from '../ui/host';
import { t } from '../../src/base/l10n';
import type { RunFromPage } from '../../src/protocol/panels/run';
import { formatLoss } from './run-numbers';
import type { RunData } from './run-data';
import {
  columnsOf,
  fileAt,
  keyTarget,
  type Moment,
  type Place,
  largeView,
  momentText,
  settingsText,
} from './picture-large';
import './picture-thumb';

/** @param version changes with the data of the runs */
export const pictureStrip = (runs: readonly RunData[], version: number): unknown =>
  guard([version], () => html`<aurora-pictures .runs=${runs} .version=${version}></aurora-pictures>`);

/** Distance from the end at which the strip still follows new pictures; css pixels. */
const NEAR_END = 8;

/** The pictures of each prompt over training time: the base model's, then one per evaluation. */
class PictureStrip extends LitElement {
  @property({ attribute: false }) runs: readonly RunData[] = [];
  /** Changes with the data. */
  @property({ attribute: false }) version = 0;
  @state() private chosen = '';
  /** The picture that the keys reach first. */
  @state() private current: Place | undefined;
  @state() private large: Place | undefined;
  private follows = true;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  private get known(): RunData[] {
    return this.runs.filter((r) => r.pictures && r.pictures.index.prompts.length > 0);
  }
  private get run(): RunData | undefined {
    return this.known.find((r) => r.folder === this.chosen) ?? this.known[0];
  }

  protected override render(): unknown {
    const { run, known } = this;
    if (!run) return nothing;
    const { index } = run.pictures!;
    const columns = columnsOf(index);
    const all = index.evaluations.length + 1;
    return html`<section aria-labelledby="pictures-heading" data-section="pictures">
      <h2 id="pictures-heading">${t('Pictures')}</h2>
      <p class="quiet">
        ${settingsText(index)}
        ${columns.length < all ? t('Showing {0} of {1} evaluations.', columns.length - 1, all - 1) : nothing}
      </p>
      ${known.length > 1 ? this.runChooser(known, run) : nothing}
      <div class="scroll" @scroll=${this.scrolled}>
        <table role="grid" aria-labelledby="pictures-heading" class="pictures" @keydown=${this.onKey}>
          <thead>
            <tr>
              <th scope="col">${t('Prompt')}</th>
              ${columns.map((moment) => html`<th scope="col">${momentText(moment)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${index.prompts.map(
              ({ text, seed }, prompt) =>
                html`<tr>
                  <th scope="row" title=${t('Seed {0}', seed)}><span class="excerpt">${text}</span></th>
                  ${columns.map((moment) => this.cell(run, columns, { prompt, moment }))}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="quiet help">
        ${t('Click a picture or press Enter to enlarge it beside the base model’s; use the arrow keys to move.')}
      </p>
      <p class="visually-hidden" role="status">${newest(index)}</p>
      <dialog
        class="picture-dialog"
        aria-labelledby="large-heading"
        @close=${this.closed}
        @click=${(e: Event) => e.target === e.currentTarget && this.dialog?.close()}
      >
        <div class="inside">${this.large ? this.enlarged(run, this.large) : nothing}</div>
      </dialog>
    </section>`;
  }

  private runChooser(known: readonly RunData[], run: RunData): TemplateResult {
    return html`<vscode-dropdown
      aria-label=${t('Run to show pictures of')}
      .value=${run.folder}
      @change=${(e: Event) => (this.chosen = (e.target as HTMLInputElement).value)}
    >
      ${known.map((r) => html`<vscode-option value=${r.folder}>${r.facts?.name ?? r.folder}</vscode-option>`)}
    </vscode-dropdown>`;
  }

  private cell({ pictures }: RunData, columns: readonly Moment[], place: Place): TemplateResult {
    const { index, folder } = pictures!;
    const file = fileAt(index, place);
    const label = t('{0}: {1}', momentText(place.moment), index.prompts[place.prompt].text);
    return html`<td role="gridcell">
      <button
        class="picture"
        tabindex=${same(place, this.reached(index, columns)) ? 0 : -1}
        data-prompt=${place.prompt}
        data-moment=${place.moment}
        aria-label=${file === undefined ? t('{0}, not drawn', label) : label}
        aria-haspopup="dialog"
        @focus=${() => (this.current = place)}
        @click=${() => this.enlarge(place)}
      >
        ${
          file === undefined
            ? html`<span class="none">${t('not drawn')}</span>`
            : html`<aurora-thumb
                .src=${`${folder}/${file}`}
                .size=${[index.width, index.height] as const}
              ></aurora-thumb>`
        }
      </button>
    </td>`;
  }

  /** The Tab key enters the strip where the user was, otherwise at the newest picture of the first prompt. */
  private reached({ prompts }: RunPictures, columns: readonly Moment[]): Place {
    const { current } = this;
    return current && current.prompt < prompts.length && columns.includes(current.moment)
      ? current
      : { prompt: 0, moment: columns.at(-1)! };
  }

  private readonly onKey = (e: KeyboardEvent): void => {
    const index = this.run?.pictures?.index;
    if (!index || e.altKey) return;
    const columns = columnsOf(index);
    const to = keyTarget(e, this.reached(index, columns), columns, index.prompts.length);
    if (!to) return;
    e.preventDefault();
    this.buttonAt(to)?.focus();
  };

  private buttonAt = ({ prompt, moment }: Place): HTMLElement | null =>
    this.querySelector(`button[data-prompt="${prompt}"][data-moment="${moment}"]`);

  private get dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog');
  }

  private enlarge(place: Place): void {
    this.large = place;
    void this.updateComplete.then(() => {
      this.dialog?.showModal();
      this.querySelector<HTMLElement>('#large-heading')?.focus();
    });
  }

  private enlarged(run: RunData, place: Place): unknown {
    return largeView({
      pictures: run.pictures!,
      place,
      note: (moment) => lossAt(run, moment),
      show: (to) => (this.large = to),
      open: (file) => post<RunFromPage>({ type: 'openPicture', run: run.folder, file }),
      close: () => this.dialog?.close(),
    });
  }

  private readonly closed = (): void => {
    const { large } = this;
    this.large = undefined;
    // Back to the picture that was shown last, if it has a column.
    if (large) (this.buttonAt(large) ?? (this.current && this.buttonAt(this.current)))?.focus();
  };

  private readonly scrolled = (e: Event): void => {
    const { scrollLeft, clientWidth, scrollWidth } = e.target as Element;
    this.follows = scrollLeft + clientWidth >= scrollWidth - NEAR_END;
  };

  /** The newest pictures stay in view until the user scrolls away. */
  protected override updated(): void {
    // Once the thumbnails have their sizes.
    if (this.follows)
      requestAnimationFrame(() => {
        const scroll = this.querySelector('.scroll');
        if (scroll) scroll.scrollLeft = scroll.scrollWidth;
      });
    // A run may lose its pictures while one is enlarged.
    if (this.large && !this.run?.pictures?.index.prompts[this.large.prompt]) this.dialog?.close();
  }
}

const same = (a: Place, b: Place): boolean => a.prompt === b.prompt && a.moment === b.moment;

const newest = ({ evaluations }: RunPictures): string => {
  const last = evaluations.at(-1);
  return last ? t('Pictures of step {0} were drawn.', last.step) : '';
};

/** The validation loss at a step. */
function lossAt(run: RunData, moment: Moment): string {
  const loss = run.evaluations.find((e) => e.step === moment)?.metrics.loss;
  return loss === undefined ? '' : t('validation loss {0}', formatLoss(loss));
}

customElements.define('aurora-pictures', PictureStrip);
