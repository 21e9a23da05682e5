import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { t } from '../../src/base/l10n';
import type { TaskShapes } from '../../src/experiment/tasks/kind';
import type {
  PlaygroundFromPage,
  PlaygroundOpen,
  PlaygroundToPage,
} from '../../src/protocol/panels/playground';
import { applyLine, type PlaygroundView } from '../../src/protocol/panels/playground-view';
import { namedRow } from '../../src/protocol/row-place';
import type { PlayAdapter } from '../../src/protocol/play-question';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { adapterList } from './adapter-list';
import { answerCard, answersText, below, speech } from './answer-cards';
import { columnsOf, type AnswerKind } from './answer-kind';
import { KINDS } from './answer-kinds';
import type { FormAction } from './form-fields';
import { drawImage, imageForm, imageIn, readPicture } from './image-form';
import { drawingOf, pictureForm, typedDrawing, type TypedDrawing } from './picture-form';
import { DEFAULT_TYPED, settingsOf, textForm, type TypedSettings } from './text-form';
import { choiceLines, choicesIn, isAskable, onLine } from './typed-question';

/** Typing pause after which the text is sent. */
const PAUSE_MS = 400;

const say = (message: PlaygroundFromPage): void => post(message);

/** The state of the page, as it is restored after a reload. */
interface Ui {
  text: string;
  /** The second text of a pair. */
  pair: string;
  /** The choices of a question, one a line. */
  choices: string;
  /** True if prompts are asked without the template of training. */
  asTyped: boolean;
  /** The prompt of the last text or picture, and true if it was asked without the template. */
  prompt: string;
  promptAsTyped: boolean;
  settings: TypedSettings;
  /** The negative prompt of a picture, and the settings that are not the model's defaults. */
  negative: string;
  drawing: Partial<TypedDrawing>;
  /** True if all labels and spans are shown. */
  all: boolean;
  /** Runs added for comparison. */
  beside: string[];
  /** Adapters added to the run's own, and the weight of that. */
  together: { weight: number; adapters: PlayAdapter[] };
}

/** A question, with the answers of a checkpoint, its base and other runs in columns. */
export class PlaygroundPage extends LitElement {
  @state() private view: PlaygroundView | undefined;
  @state() private copied = '';
  /** The name and size of the image that was read, or the reason why it could not be. */
  @state() private picture = '';
  @state() private broken = '';
  private open: PlaygroundOpen | undefined;
  private ui: Partial<Ui> = savedUi<Ui>();
  private pause = 0;
  /** The last text sent, so that it is not sent twice. */
  private asked: string | undefined;
  /** The validation text that was filled in last, and true if another was requested. */
  private sample: PlaygroundView['sample'];
  private waitsForSample = false;

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<PlaygroundOpen, PlaygroundToPage>(
      (open) => {
        this.open = open;
        this.requestUpdate();
      },
      (message) => this.receive(message),
    );
    window.addEventListener('paste', (e) => this.take(imageIn(e.clipboardData), e));
    window.addEventListener('dragover', (e) => this.shapes?.input === 'image' && e.preventDefault());
    window.addEventListener('drop', (e) => this.take(imageIn(e.dataTransfer), e));
  }

  private receive(message: PlaygroundToPage): void {
    if (message.type === 'copied' || message.type === 'saved') {
      this.copied = message.type === 'saved' ? t('Saved {0}.', message.name) : t('Copied.');
      return;
    }
    const before = this.view;
    if (message.type === 'snapshot') {
      this.view = message.view;
      if (!before) this.restore();
      const beside = message.view.subjects.flatMap((s) => s.run ?? []);
      const { combined } = message.view.subjects[0];
      const together = combined && {
        weight: combined.weight,
        adapters: combined.adapters.map(({ path, weight }) => ({ path, weight })),
      };
      const shown = { beside, together };
      const { ui } = this;
      const saved = { beside: ui.beside ?? [], together: ui.together };
      if (before && JSON.stringify(shown) !== JSON.stringify(saved)) this.keep(shown);
    } else if (this.view) for (const line of message.lines) applyLine(this.view, line);
    this.fillSample();
    this.askAtFirst();
    this.requestUpdate();
  }

  /** After a reload, the host starts without other runs. */
  private restore(): void {
    const there = this.view!.subjects.flatMap((s) => s.run ?? []);
    const runs = (this.ui.beside ?? []).filter((run) => !there.includes(run));
    const together = this.view!.subjects[0].combined ? undefined : this.ui.together;
    if (runs.length > 0 || together) say({ type: 'restore', runs, ...together });
  }

  /** A text typed before a reload. */
  private askAtFirst(): void {
    if (this.view!.request > 0 || this.asked !== undefined || !this.answersAtOnce) return;
    if (this.view!.subjects[0].facts) this.ask();
  }

  private fillSample(): void {
    const { sample } = this.view!;
    if (!sample || sample.request === this.sample?.request) return;
    // A text that arrived before this page was ready was filled in by the previous one.
    if (this.waitsForSample) {
      this.waitsForSample = false;
      this.fill(sample);
    }
    this.sample = sample;
  }

  private fill(sample: NonNullable<PlaygroundView['sample']>): void {
    const { text, pair, image } = sample;
    if (image) {
      this.broken = '';
      this.picture = t('{0}, as the model reads it.', text);
      return say({ type: 'askImage', image });
    }
    this.keep({ text, pair, choices: choiceLines(sample) });
    this.ask();
  }

  /** For a run, known before it is loaded. */
  private get shapes(): TaskShapes | undefined {
    const own = this.view?.subjects[0];
    return own?.facts ?? own?.shapes;
  }
  private get kind(): AnswerKind | undefined {
    return this.shapes && KINDS[this.shapes.answer];
  }
  /** True if a question is sent while it is typed. */
  private get answersAtOnce(): boolean {
    return this.shapes?.input !== 'image' && this.kind?.asked === 'typing';
  }
  private get text(): string {
    return this.ui.text ?? '';
  }
  /** The second text; undefined for a model that reads one. */
  private get pair(): string | undefined {
    return this.shapes?.input === 'pair' ? (this.ui.pair ?? '') : undefined;
  }
  /** The choices as typed; undefined for a model that reads none. */
  private get choices(): string | undefined {
    return this.kind?.choices ? (this.ui.choices ?? '') : undefined;
  }
  /** The spelling of a mask; undefined for a model that reads none. */
  private get mask(): string | undefined {
    return this.view?.subjects[0].facts?.mask;
  }
  private get asTyped(): boolean {
    return this.ui.asTyped ?? false;
  }
  private get typed(): TypedSettings {
    return { ...DEFAULT_TYPED, ...this.ui.settings };
  }

  private get drawing(): TypedDrawing {
    return typedDrawing(this.ui.drawing, this.view?.subjects[0].facts?.drawing);
  }

  private keep(change: Partial<Ui>): void {
    this.ui = { ...this.ui, ...change };
    saveUi(this.ui);
    this.requestUpdate();
  }

  private type(change: Pick<Partial<Ui>, 'text' | 'pair' | 'choices'>): void {
    this.keep(change);
    clearTimeout(this.pause);
    if (this.answersAtOnce)
      this.pause = window.setTimeout(() => this.question !== this.asked && this.ask(), PAUSE_MS);
  }

  /** Everything that was typed. */
  private get question(): string {
    return JSON.stringify([this.text, this.pair, this.choices]);
  }

  private draw(): void {
    const settings = drawingOf(this.drawing);
    if (!settings) return;
    const { negative } = this.ui;
    this.copied = '';
    this.keep({ prompt: this.text });
    say({ type: 'draw', text: this.text, ...(negative?.trim() && { negative }), settings });
  }

  private ask(): void {
    clearTimeout(this.pause);
    if (this.kind?.asked === 'draw') return this.draw();
    const { text, pair, choices } = this;
    if (!isAskable({ text, mask: this.mask, pair, choices })) return;
    this.asked = this.question;
    this.copied = '';
    if (this.answersAtOnce)
      return say({
        type: 'ask',
        text,
        pair,
        choices: choices === undefined ? undefined : choicesIn(choices),
      });
    const settings = settingsOf(this.typed);
    if (!settings) return;
    const { asTyped } = this;
    this.keep({ prompt: this.text, promptAsTyped: asTyped });
    say({ type: 'generate', text: this.text, ...(asTyped && { asTyped }), settings });
  }

  /** A picture that was chosen, pasted or dropped. */
  private take(file: File | undefined, e?: Event): void {
    const shape = this.view?.subjects[0].facts?.image;
    if (!file || !shape) return;
    e?.preventDefault();
    const name = file.name || t('the pasted image');
    readPicture(file, shape).then(
      ({ image, from }) => {
        this.broken = '';
        this.picture = t('{0}, {1} × {2} pixels.', name, from.width, from.height);
        say({ type: 'askImage', image });
      },
      () => (this.broken = t('{0} cannot be decoded as an image.', name)),
    );
  }

  protected override updated(): void {
    const image = this.view?.image;
    const canvas = this.querySelector<HTMLCanvasElement>('canvas.picture');
    if (canvas && image) drawImage(canvas, image);
  }

  protected override render(): TemplateResult {
    const { view } = this;
    if (!view) return html`<p class="note" role="status">${t('Opening the playground…')}</p>`;
    const columns = columnsOf(view);
    const { facts } = view.subjects[0];
    return html`<main>
      <h1>${t('Playground: {0}', columns[0].title)}</h1>
      ${notices(view, () => say({ type: 'restart' }))} ${this.form(view)} ${this.adapters(view)}
      ${this.tokensLink()}
      ${
        facts && facts.assumed.length > 0
          ? html`<ul class="assumed">
              ${facts.assumed.map((a) => html`<li>${a}</li>`)}
            </ul>`
          : nothing
      }
      <div class=${facts && this.kind?.asked !== 'typing' ? 'columns wide' : 'columns'}>
        ${repeat(
          columns,
          (c) => c.key,
          (c) =>
            answerCard(c, {
              first: columns[0],
              request: view.request,
              busy: view.busy,
              all: this.ui.all ?? false,
              several: columns.length > 1,
              truth: this.truth,
              sample: this.sample,
              prompt: this.ui.prompt ?? '',
              asTyped: this.ui.promptAsTyped ?? false,
              remove: (subject) => say({ type: 'remove', subject }),
              save: ({ subject, variant }) => say({ type: 'savePicture', subject: subject.id, variant }),
            }),
        )}
      </div>
      ${below(
        columns,
        { all: this.ui.all ?? false, copied: this.copied, sample: this.sample, truth: this.truth },
        { showAll: (all) => this.keep({ all }), copy: () => this.copy(view) },
      )}
      <p class="visually-hidden" role="status">${speech(view, columns)}</p>
    </main>`;
  }

  private form(view: PlaygroundView): unknown {
    const { facts } = view.subjects[0];
    const { shapes, kind } = this;
    if (shapes === undefined || kind === undefined) return nothing;
    const isRun = facts !== undefined && this.open?.kind === 'run';
    // Each head was trained on the hidden states of one adapter.
    const combine =
      this.open?.kind === 'run' && (facts?.base === 'model' || view.subjects[0].combined !== undefined);
    const can = { sample: facts?.samples ?? false, compare: isRun, combine };
    const row = this.truth;
    const truth = row && kind.truth(row, namedRow(row.file, row.line));
    if (shapes.input === 'image')
      return imageForm(facts?.image, view.image, this.broken || this.picture, (file) => this.take(file), {
        truth,
        can,
        act: (action) => this.act(action),
      });
    if (kind.asked === 'draw')
      return pictureForm({
        prompt: this.text,
        negative: this.ui.negative ?? '',
        settings: facts && this.drawing,
        ready: view.program === 'running',
        busy: view.busy,
        truth,
        can,
        type: (change) => this.keep(change),
        set: (change) => this.keep({ drawing: { ...this.ui.drawing, ...change } }),
        act: (action) => this.act(action),
      });
    return textForm({
      text: this.text,
      pair: this.pair,
      choices: this.choices,
      mask: this.mask,
      template: facts?.template,
      asTyped: this.asTyped,
      writes: kind.asked === 'generate',
      settings: this.typed,
      truth,
      running: view.program === 'running',
      busy: view.busy,
      can,
      type: (text) => this.type({ text }),
      typePair: (pair) => this.type({ pair }),
      typeChoices: (choices) => this.type({ choices }),
      set: (settings) => this.keep({ settings }),
      useTemplate: (use) => this.keep({ asTyped: !use }),
      act: (action) => this.act(action),
    });
  }

  /** While a validation text is asked, the way to its tokens. */
  private tokensLink(): unknown {
    const { shapes } = this;
    if (!this.truth || shapes?.input === 'image' || shapes?.answer === 'picture') return nothing;
    return html`<p class="note">
      <button class="link" data-action="tokens" @click=${() => say({ type: 'tokens' })}>
        ${t('Show the tokens of this row')}
      </button>
    </p>`;
  }

  private adapters({ subjects: [own] }: PlaygroundView): unknown {
    if (!own.combined) return nothing;
    return adapterList(own.title, own.combined, {
      weigh: ([weight, ...others]) => {
        // Before the host says so, another weight may follow.
        const adapters = own.combined!.adapters.map((a, i) => ({ ...a, weight: others[i] }));
        own.combined = { weight, adapters };
        this.requestUpdate();
        say({ type: 'weigh', weights: [weight, ...others] });
      },
      remove: (run) => say({ type: 'separate', run }),
    });
  }

  private act(action: FormAction): void {
    if (action === 'ask') return this.ask();
    this.waitsForSample ||= action === 'sample';
    say({ type: action });
  }

  /** The validation text or image, as long as it is what is asked. */
  private get truth(): PlaygroundView['sample'] {
    const { sample } = this;
    if (sample?.image) return sample.image.rgba === this.view?.image?.rgba ? sample : undefined;
    const isAsked =
      sample?.text === this.text && sample.pair === this.pair && choiceLines(sample) === this.choices;
    // The answers name choices as they stand on their lines.
    return isAsked && sample.choices
      ? { ...sample, label: onLine(sample.label) }
      : isAsked
        ? sample
        : undefined;
  }

  private copy(view: PlaygroundView): void {
    const { prompt = '', all = false } = this.ui;
    const asked =
      view.text === undefined
        ? prompt
        : [view.text, view.pair, ...(view.choices ?? [])].filter(Boolean).join('\n');
    say({ type: 'copy', text: answersText(view, asked, all) });
  }
}

/** Errors, with the next step. */
function notices({ notice, program, problem }: PlaygroundView, restart: () => void): TemplateResult {
  const again = html`<vscode-button data-action="restart" @click=${restart}
    >${t('Start Again')}</vscode-button
  >`;
  return html`${
    notice
      ? html`<div class="message" role="alert">
          <p>${notice}</p>
          ${program === 'ended' ? again : nothing}
        </div>`
      : nothing
  }
  ${
    problem
      ? html`<div class="message" role="alert">
          <p>${[problem.message, problem.hint].filter(Boolean).join(' ')}</p>
        </div>`
      : nothing
  }`;
}
