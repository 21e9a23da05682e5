import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type {
  PlaygroundFromPage,
  PlaygroundOpen,
  PlaygroundToPage,
} from '../../src/protocol/panels/playground';
import { applyLine, type PlaygroundView } from '../../src/protocol/panels/playground-view';
import type { TaskShapes } from '../../src/experiment/tasks/kind';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { answerCard } from './answer-card';
import { below } from './below';
import { columnsOf } from './columns';
import { answersText } from './copy';
import { imageForm } from './image-form';
import { drawImage, imageIn, readPicture } from './picture';
import { pictureForm } from './pictures/form';
import { drawingOf, typedDrawing, type TypedDrawing } from './pictures/settings';
import { notices } from './notices';
import { DEFAULT_TYPED, settingsOf, type TypedSettings } from './settings';
import { speech } from './speech';
import { textForm } from './text-form';
import { choiceLines, choicesIn, isAskable, onLine } from './choices';
import { truthLine } from './truth-line';
import type { Ui } from './ui';

/** Typing pause after which the text is sent. */
const PAUSE_MS = 400;

const say = (message: PlaygroundFromPage): void => post(message);

/** A question, with the answers of a checkpoint, its base and other runs in columns. */
export class PlaygroundApp extends LitElement {
  @state() private view: PlaygroundView | undefined;
  @state() private copied = '';
  /** Why a file is not an image, or what was read of it. */
  @state() private picture = '';
  @state() private broken = '';
  private open: PlaygroundOpen | undefined;
  private ui: Partial<Ui> = savedUi<Ui>();
  private pause = 0;
  /** The last text sent, so that it is not sent twice. */
  private asked: string | undefined;
  /** The validation text that was filled in last, and whether another was requested. */
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
      if (before && beside.join('\n') !== this.ui.beside?.join('\n')) this.keep({ beside });
    } else if (this.view) for (const line of message.lines) applyLine(this.view, line);
    this.fillSample();
    this.askAtFirst();
    this.requestUpdate();
  }

  /** After a reload, the host starts without other runs. */
  private restore(): void {
    const there = this.view!.subjects.flatMap((s) => s.run ?? []);
    const runs = (this.ui.beside ?? []).filter((run) => !there.includes(run));
    if (runs.length > 0) say({ type: 'restore', runs });
  }

  /** A text typed before a reload. */
  private askAtFirst(): void {
    if (this.view!.request > 0 || this.asked !== undefined || !this.answersAtOnce) return;
    if (this.view!.subjects[0].facts) this.ask();
  }

  private fillSample(): void {
    const { sample } = this.view!;
    if (!sample || sample.request === this.sample?.request) return;
    // What arrived before this page was ready was filled in by the previous one.
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
  /** Whether it answers without a button press; a text or a picture takes too long for that. */
  private get answersAtOnce(): boolean {
    const { shapes } = this;
    return shapes !== undefined && shapes.input !== 'image' && !['text', 'picture'].includes(shapes.answer);
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
    return this.shapes?.answer === 'choice' ? (this.ui.choices ?? '') : undefined;
  }
  /** How a mask is written; undefined for a model that reads none. */
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
    if (this.shapes?.answer === 'picture') return this.draw();
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
      ${notices(view, () => say({ type: 'restart' }))} ${this.form(view)}
      ${
        facts && facts.assumed.length > 0
          ? html`<ul class="assumed">
              ${facts.assumed.map((a) => html`<li>${a}</li>`)}
            </ul>`
          : nothing
      }
      <div class=${facts?.answer === 'text' || facts?.answer === 'picture' ? 'columns wide' : 'columns'}>
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
              ...(this.truth && { truth: this.truth }),
              ...(this.sample && { sample: this.sample }),
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
    const { shapes } = this;
    if (shapes === undefined) return nothing;
    const isRun = facts !== undefined && this.open?.kind === 'run';
    const can = { sample: facts?.samples ?? false, compare: isRun };
    if (shapes.input === 'image')
      return imageForm(facts?.image, view.image, this.broken || this.picture, (file) => this.take(file), {
        ...(this.truth && { truth: truthLine(this.truth, shapes.answer) }),
        can,
        act: (action) => this.act(action),
      });
    if (shapes.answer === 'picture')
      return pictureForm({
        prompt: this.text,
        negative: this.ui.negative ?? '',
        settings: facts && this.drawing,
        ready: view.program === 'running',
        busy: view.busy,
        ...(this.truth && { truth: truthLine(this.truth, shapes.answer) }),
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
      ...(facts?.template !== undefined && { template: facts.template }),
      asTyped: this.asTyped,
      writes: shapes.answer === 'text',
      settings: this.typed,
      ...(this.truth && { truth: truthLine(this.truth, shapes.answer) }),
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

  private act(action: 'ask' | 'stop' | 'sample' | 'compare'): void {
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
