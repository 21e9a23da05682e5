import { basename, dirname, join } from 'node:path';
import { outdated, predictionsFile, readPredictions } from '../../../runs/predictions';
import { AuroraError } from '../../../base/errors';
import type { MeasuredOn } from '../../../experiment/evaluation-sets';
import type { RunEvent } from '../../../protocol/events';
import type { ErrorsFromHost, ErrorsFromPage } from '../../../protocol/panels/errors';
import type { Predictions } from '../../../protocol/predictions';
import { rowIn } from '../../../protocol/row-place';

/** What the panel needs to know about its run. */
export interface RunFacts {
  name: string;
  experiment: string;
  events: readonly RunEvent[];
  /** The sets that the experiment has. */
  sets: readonly MeasuredOn[];
}

/** The editor's side, so that the rest runs without VS Code. */
export interface ErrorsHost {
  run: string;
  step: number;
  on: MeasuredOn;
  post(message: ErrorsFromHost): void;
  /** Reads the run; rejects with an AuroraError if it cannot be read. */
  facts(): Promise<RunFacts>;
  /** vscode.l10n.t */
  say(sentence: string, ...values: (string | number)[]): string;
  /** Predicts again; resolves when that has ended, whatever the result. */
  predict(): Promise<void>;
  openRow(file: string, line: number): void;
  /** Opens the errors on another set. */
  openSet(on: MeasuredOn): void;
  copy(text: string): void;
  failed(error: unknown): void;
}

type Post = ErrorsHost['post'];

/** Serves one page with a checkpoint's predictions. */
export class ErrorsSession {
  private predictions: Predictions | undefined;
  /** Counts requests, so that outdated answers are dropped. */
  private turn = 0;
  private disposed = false;

  constructor(private readonly host: ErrorsHost) {}

  dispose(): void {
    this.disposed = true;
  }

  receive(message: ErrorsFromPage): void {
    if (message.type === 'copy') this.host.copy(message.text);
    else if (message.type === 'openSet') this.host.openSet(message.on);
    else if (message.type === 'predict') void this.host.predict().then(() => this.refresh());
    else this.openRow(message.example);
  }

  /** Sends everything, then whether it is still up to date. */
  refresh(): void {
    const turn = ++this.turn;
    const post: Post = (message) => {
      if (turn === this.turn && !this.disposed) this.host.post(message);
    };
    this.send(post).catch((e: unknown) => this.fail(post, e, false));
  }

  /** A file was saved, perhaps the data. */
  saved(file: string): void {
    const { data } = this.predictions ?? {};
    const named = data?.parts?.map((part) => join(dirname(data.file), part.file)) ?? [data?.file];
    if (named.includes(file)) this.refresh();
  }

  private async send(post: Post): Promise<void> {
    const { name, experiment, events, sets } = await this.host.facts();
    const predictions = (this.predictions = await this.read(post));
    if (!predictions) return;
    const { data, ...shown } = predictions;
    const { step, on } = this.host;
    const file = basename(data.file);
    const { parts } = data;
    const message = { run: name, experiment, file, on, sets, predictions: shown };
    post({ type: 'predictions', ...message, ...(parts && { parts }) });
    const because = await outdated(predictions, step, events, on);
    if (because) post({ type: 'outdated', because });
  }

  /** Undefined, after a message, if they are not available. */
  private async read(post: Post): Promise<Predictions | undefined> {
    const { run, step, on } = this.host;
    try {
      const predictions = await readPredictions(run, step, on);
      if (predictions) return predictions;
      const file = predictionsFile(run, step, on);
      throw new AuroraError('run', this.host.say('{0} no longer exists.', file));
    } catch (e) {
      this.fail(post, e, true);
      return undefined;
    }
  }

  private fail(post: Post, e: unknown, again: boolean): void {
    this.host.failed(e);
    const { message, hint } = e as Partial<AuroraError>;
    post({ type: 'error', message: [message ?? String(e), hint].filter(Boolean).join(' '), again });
  }

  private openRow(example: number): void {
    const { data, columns } = this.predictions ?? {};
    const line = columns?.line[example];
    if (!data || line === undefined) return;
    const { file, row } = rowIn(data.file, line, data.parts);
    this.host.openRow(file, row);
  }
}
