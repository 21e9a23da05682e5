import { t } from '../../../base/l10n';
import type { TaskShapes } from '../../../experiment/tasks/kind';
import type {
  PlaygroundFromPage,
  PlaygroundOpen,
  PlaygroundToPage,
} from '../../../protocol/panels/playground';
import { applyLine, type PlaygroundView, type SubjectView } from '../../../protocol/panels/playground-view';
import { modelName, type PlayAdapter, type Weighted } from '../../../protocol/play-question';
import { parsePlayLine, type PlayRequest } from '../../../protocol/playground';
import type { RunningProgram } from '../../launcher/client';
import { programError } from '../../../executors/local/program';
import { errorText } from '../../words/error-text';

/** The editor's side, so that the rest runs without VS Code. */
export interface PlaygroundHost {
  /** Starts `aurora play --json`. */
  start(onLine: (line: string) => void): Promise<RunningProgram>;
  post(message: PlaygroundToPage): void;
  /** The input and output of a run's task; undefined until the run is known. */
  shapesOf(run: string): TaskShapes | undefined;
  /** A run's display name. */
  titleOf(run: string): string;
  /** Asks for runs to compare; those with exactly these labels come first. */
  pickRuns(labels: readonly string[], there: readonly string[]): Promise<readonly string[]>;
  /** Asks for runs whose adapters can be added to those of a run. @param there folders that are already added */
  pickAdapters(run: string, there: readonly string[]): Promise<readonly string[]>;
  copy(text: string): void;
  /** Opens the tokens of a validation row of a run's experiment. @param row as `aurora tokens` takes it */
  showTokens(run: string, row: string): void;
  /**
   * Asks where to save a picture.
   *
   * @param name without its ending
   * @returns the file's name; undefined if the user changed their mind
   */
  savePicture(name: string, png: Uint8Array): Promise<string | undefined>;
  failed(error: unknown): void;
}

/** Minimum interval between updates of the page. */
const POST_MS = 100;
const OWN = 'own';
/** Characters of a prompt in the name of a file. */
const NAME = 40;

type Kind<K extends PlayRequest['kind']> = Omit<Extract<PlayRequest, { kind: K }>, 'request'>;
type Question = Kind<'predict'> | Kind<'generate'> | Kind<'draw'>;

/** A playground: the program that answers, the questions, and its output. */
export class PlaygroundSession {
  private readonly view: PlaygroundView;
  private program: RunningProgram | undefined;
  private begun = false;
  private disposed = false;
  private lines: PlaygroundToPage & { type: 'lines' } = { type: 'lines', lines: [] };
  private timer: NodeJS.Timeout | undefined;
  private posted = -Infinity;
  /** Asked again for a run that is added. */
  private question: Extract<PlaygroundFromPage, { type: 'ask' | 'askImage' }> | undefined;
  /** The prompt and seed of the newest picture, for the name of a file. */
  private drawn = '';
  private ids = 0;

  constructor(
    private readonly open: PlaygroundOpen,
    private readonly host: PlaygroundHost,
  ) {
    const named = open.kind === 'run' ? this.known(open.run) : { title: modelName(open.model, open.adapter) };
    const own: SubjectView = { id: OWN, ...named, answers: {} };
    this.view = { program: 'starting', subjects: [own], request: 0, busy: false };
  }

  /** The page is ready, for the first time or again; the first time starts the program. */
  snapshot(): void {
    if (!this.begun) this.start();
    this.lines.lines = [];
    this.host.post({ type: 'snapshot', view: this.view });
  }

  receive(message: PlaygroundFromPage): void {
    switch (message.type) {
      case 'ask':
      case 'askImage':
        this.question = message;
        return this.ask();
      case 'generate':
        return this.generate(message);
      case 'draw': {
        const { text, negative, settings } = message;
        this.drawn = `${text.slice(0, NAME)} ${settings.seed}`;
        return this.put({ kind: 'draw', text, negative, settings });
      }
      case 'savePicture':
        return void this.savePicture(message).catch((e: unknown) => this.host.failed(e));
      case 'stop':
        return this.send({ kind: 'stop', request: this.view.request });
      case 'sample':
        return this.send({ kind: 'sample', request: ++this.ids, subject: OWN });
      case 'tokens': {
        const { sample } = this.view;
        if (this.open.kind === 'run' && sample)
          this.host.showTokens(this.open.run, `${sample.file}:${sample.line}`);
        return;
      }
      case 'compare':
        return void this.compare().catch((e: unknown) => this.host.failed(e));
      case 'combine':
        return void this.combine().catch((e: unknown) => this.host.failed(e));
      case 'separate':
        return this.separate(message.run);
      case 'weigh':
        return this.weigh(message.weights);
      case 'restore':
        if (message.adapters) this.setTogether(message.weight!, message.adapters);
        return this.add(message.runs);
      case 'remove':
        return this.remove(message.subject);
      case 'restart':
        return this.start();
      case 'copy':
        this.host.copy(message.text);
        return this.host.post({ type: 'copied' });
    }
  }

  private generate({ text, asTyped, settings }: Extract<PlaygroundFromPage, { type: 'generate' }>): void {
    this.put({ kind: 'generate', text, ...(asTyped && { asTyped }), settings });
  }

  private async savePicture({
    subject,
    variant,
  }: Extract<PlaygroundFromPage, { type: 'savePicture' }>): Promise<void> {
    const shown = this.view.subjects.find((s) => s.id === subject);
    const png = shown?.answers[variant]?.picture?.png;
    if (!shown || png === undefined) return;
    const of = variant === 'base' ? t('Base model') : shown.title;
    const name = await this.host.savePicture(`${this.drawn} ${of}`, Buffer.from(png, 'base64'));
    if (name !== undefined) this.host.post({ type: 'saved', name });
  }

  /** A run was renamed. */
  rename(): void {
    for (const s of this.view.subjects) {
      const run = s.run ?? (this.open.kind === 'run' ? this.open.run : undefined);
      if (run !== undefined) Object.assign(s, this.known(run));
      for (const adapter of s.combined?.adapters ?? []) adapter.title = this.host.titleOf(adapter.path);
    }
    this.snapshot();
  }

  private known(run: string): Pick<SubjectView, 'title' | 'shapes'> {
    return { title: this.host.titleOf(run), shapes: this.host.shapesOf(run) };
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    this.program?.kill('was closed with its panel');
  }

  /** @param notice why it is restarted */
  private start(notice?: string): void {
    if (this.program || (this.begun && this.view.program === 'starting')) return;
    this.begun = true;
    this.view.program = 'starting';
    this.view.notice = notice;
    this.view.busy = false;
    for (const s of this.view.subjects) s.facts = s.problem = undefined;
    this.host
      .start((line) => this.hear(line))
      .then(
        (program) => this.started(program),
        (e: unknown) => this.end(errorText(e)),
      );
    this.post();
  }

  private started(program: RunningProgram): void {
    if (this.disposed) return program.kill('was closed with its panel');
    this.program = program;
    this.view.program = 'running';
    for (const s of this.view.subjects) this.load(s);
    // The question from before it was ready.
    this.ask();
    const gone = (why: string) => {
      if (this.program !== program || this.disposed) return;
      this.program = undefined;
      // The question may have ended it.
      this.question = undefined;
      this.host.failed(new Error(why));
      // If it ended before it loaded anything, it would do so again.
      if (!this.view.subjects.some((s) => s.facts)) return this.end(why);
      this.start(t('The model’s process ended unexpectedly and was restarted. Try again. {0}', why));
    };
    program.ended.then(
      (result) => gone(programError(result, 'play').message),
      (e: unknown) => gone(errorText(e)),
    );
    this.post();
  }

  private end(why: string): void {
    if (this.disposed) return;
    this.view.program = 'ended';
    this.view.busy = false;
    this.view.notice = t('The model’s process is not running. {0}', why);
    this.post();
  }

  private hear(text: string): void {
    const line = parsePlayLine(text);
    if (!line) return;
    applyLine(this.view, line);
    this.lines.lines.push(line);
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.posted = performance.now();
        const { lines } = this.lines;
        if (lines.length > 0) this.host.post({ type: 'lines', lines });
        this.lines = { type: 'lines', lines: [] };
      },
      Math.max(0, this.posted + POST_MS - performance.now()),
    );
  }

  /** Something other than an answer changed. */
  private post(): void {
    if (!this.disposed) this.snapshot();
  }

  private send(request: PlayRequest): void {
    this.view.problem = undefined;
    this.program?.send(JSON.stringify(request));
  }

  private ask(): void {
    const { question } = this;
    if (question?.type === 'ask') {
      const { text, pair, choices } = question;
      this.put({ kind: 'predict', text, pair, choices });
    }
    if (question?.type === 'askImage') this.put({ kind: 'predict', image: question.image });
  }

  /** Sends a question to the program; the page learns at once that it is the newest. */
  private put(question: Question): void {
    if (!this.program) return;
    const request = ++this.ids;
    const { text, pair, choices, image } = question.kind === 'predict' ? question : {};
    Object.assign(this.view, { request, busy: true, text, pair, choices, image });
    for (const s of this.view.subjects) {
      s.trouble = undefined;
      // A text or a picture starts from the beginning; probabilities stay until the new ones arrive.
      if (question.kind !== 'predict') s.answers = {};
    }
    this.send({ ...question, request });
    this.post();
  }

  private load({ id, run }: SubjectView): void {
    if (run !== undefined)
      this.send({ kind: 'load', subject: id, source: { kind: 'run', run, at: 'best' }, base: false });
    else this.send({ kind: 'load', subject: id, source: { ...this.open, ...this.together() } });
  }

  /** The adapters of other runs, as the program reads them. */
  private together(): Weighted {
    const { combined } = this.view.subjects[0];
    if (!combined) return {};
    const adapters = combined.adapters.map(({ path, weight }) => ({ path, weight }));
    return { weight: combined.weight, adapters };
  }

  private async combine(): Promise<void> {
    if (this.open.kind !== 'run') return;
    const { weight = 1, adapters = [] } = this.view.subjects[0].combined ?? {};
    const there = [this.open.run, ...adapters.map(({ path }) => path)];
    const runs = await this.host.pickAdapters(this.open.run, there);
    if (runs.length > 0)
      this.setTogether(weight, [...adapters, ...runs.map((path) => ({ path, weight: 1 }))]);
  }

  private separate(run: string): void {
    const { weight = 1, adapters = [] } = this.view.subjects[0].combined ?? {};
    const left = adapters.filter(({ path }) => path !== run);
    this.setTogether(left.length > 0 ? weight : 1, left);
  }

  /** Loads the own subject again, with other adapters beside its own. */
  private setTogether(weight: number, adapters: readonly PlayAdapter[]): void {
    if (this.disposed || this.open.kind !== 'run') return;
    const [own] = this.view.subjects;
    const titled = adapters.map(({ path, weight }) => ({
      path,
      weight,
      title: this.host.titleOf(path),
    }));
    own.combined = titled.length > 0 ? { weight, adapters: titled } : undefined;
    own.answers = {};
    own.facts = own.problem = undefined;
    if (this.view.busy) this.send({ kind: 'stop', request: this.view.request });
    if (this.program) this.load(own);
    this.ask();
    this.post();
  }

  private weigh(weights: readonly number[]): void {
    const [{ combined }] = this.view.subjects;
    if (combined?.adapters.length !== weights.length - 1) return;
    const [own, ...others] = weights;
    combined.weight = own!;
    combined.adapters.forEach((adapter, i) => (adapter.weight = others[i]!));
    this.send({ kind: 'weigh', subject: OWN, weights: [...weights] });
    this.ask();
    this.post();
  }

  private async compare(): Promise<void> {
    const [own] = this.view.subjects;
    const there = this.view.subjects.flatMap((s) => s.run ?? []);
    if (this.open.kind === 'run') there.push(this.open.run);
    this.add(await this.host.pickRuns(own.facts?.labels ?? [], there));
  }

  private add(runs: readonly string[]): void {
    const known = new Set(this.view.subjects.map((s) => s.run));
    const added = runs.filter((run) => !known.has(run));
    if (added.length === 0 || this.disposed) return;
    for (const run of added) {
      const subject = { id: `run-${++this.ids}`, run, ...this.known(run), answers: {} };
      this.view.subjects.push(subject);
      if (this.program) this.load(subject);
    }
    this.ask();
    this.post();
  }

  private remove(id: string): void {
    if (id === OWN) return;
    this.view.subjects = this.view.subjects.filter((s) => s.id !== id);
    this.send({ kind: 'unload', subject: id });
    this.post();
  }
}
