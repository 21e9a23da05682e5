import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { inTemplate } from '../experiment/prompt-template';
import type { PlayLine, PlayRequest } from '../protocol/playground';
import type { PlaySource, PlayVariant } from '../protocol/play-question';
import { generate } from './generate';
import { openModel } from './open-model';
import { openRun, type OpenOptions } from './open-subject';
import type { Subject } from './subject';

export type Emit = (line: PlayLine) => void | Promise<void>;
type Question = Extract<PlayRequest, { kind: 'predict' | 'generate' | 'draw' }>;

/** Opens the model of a source. */
const openSubject = (source: PlaySource, options: OpenOptions): Promise<Subject> =>
  source.kind === 'run' ? openRun(source, options) : openModel(source, options);

interface Shown {
  subject: Subject;
  folder: string;
  variants: readonly PlayVariant[];
}

/**
 * Answers requests one after the other, for the subjects in loading order. A new question stops the earlier ones
 * between two runs of a model, since their answers are no longer needed.
 */
export class Player {
  private readonly subjects = new Map<string, Shown>();
  private readonly waiting: PlayRequest[] = [];
  /** The current question, until it is stopped. */
  private asked: number | undefined;
  private working: Promise<void> | undefined;
  private folders = 0;

  /** @param options their folder is shared by all subjects */
  constructor(
    private readonly emit: Emit,
    private readonly options: OpenOptions,
  ) {}

  /** Resolves when no request is pending. */
  receive(request: PlayRequest): Promise<void> {
    if (request.kind === 'stop') this.stop(request.request);
    else {
      if (isQuestion(request)) this.stop();
      this.waiting.push(request);
    }
    this.working ??= this.work().finally(() => (this.working = undefined));
    return this.working;
  }

  /** Stops one question or all: the answer ends where it is. */
  private stop(request?: number): void {
    if (request === undefined || request === this.asked) this.asked = undefined;
    const dropped = this.waiting.filter((r) => isQuestion(r) && (request ?? r.request) === r.request);
    for (const r of dropped) {
      this.waiting.splice(this.waiting.indexOf(r), 1);
      void this.emit({ kind: 'answered', request: (r as Question).request });
    }
  }

  private async work(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const of = { subject: 'subject' in next ? next.subject : undefined, request: requestOf(next) };
      await this.do(next).catch((e: unknown) => this.tell(e, of));
    }
  }

  private async do(request: PlayRequest): Promise<void> {
    switch (request.kind) {
      case 'load':
        return this.load(request.subject, request.source, request.base);
      case 'unload':
        return this.unload(request.subject);
      case 'weigh':
        return this.weigh(request.subject, request.weights);
      case 'sample':
        return this.sample(request.request, request.subject);
      case 'predict':
      case 'generate':
      case 'draw':
        return this.ask(request);
    }
  }

  /** @param base true if its base model, if it has one, answers too */
  async load(id: string, source: PlaySource, base = true): Promise<void> {
    await this.unload(id);
    await this.emit({ kind: 'loading', subject: id });
    const folder = join(this.options.folder, String(this.folders++));
    mkdirSync(folder, { recursive: true });
    try {
      const subject = await openSubject(source, { ...this.options, folder });
      const variants = base ? subject.variants : subject.variants.slice(0, 1);
      this.subjects.set(id, { subject, folder, variants });
      const facts = { ...subject.facts, ...(variants.length < 2 && { base: undefined }) };
      await this.emit({ kind: 'loaded', subject: id, ...facts });
    } catch (e) {
      rmSync(folder, { recursive: true, force: true });
      throw e;
    }
  }

  private async unload(id: string): Promise<void> {
    const shown = this.subjects.get(id);
    if (!shown) return;
    this.subjects.delete(id);
    await shown.subject.dispose();
    rmSync(shown.folder, { recursive: true, force: true });
  }

  private weigh(id: string, weights: readonly number[]): void {
    const subject = this.subjects.get(id)?.subject;
    if (!subject?.weigh)
      throw new AuroraError(
        'usage',
        'The weight of its adapter is fixed.',
        'Load it with a weight or with other adapters.',
      );
    subject.weigh(weights);
  }

  private async sample(request: number, id: string): Promise<void> {
    const subject = this.subjects.get(id)?.subject;
    if (!subject?.sample)
      throw new AuroraError(
        'usage',
        'No validation examples are available.',
        'Open a run to use its validation data.',
      );
    await this.emit({ kind: 'sample', request, subject: id, ...(await subject.sample()) });
  }

  private async ask(question: Question): Promise<void> {
    const { request } = question;
    this.asked = request;
    for (const [id, { subject, variants }] of this.subjects)
      for (const variant of variants) {
        if (!(await this.wanted(request))) break;
        const of = { request, subject: id, variant };
        await this.answer(question, subject, of).catch((e: unknown) => this.tell(e, of));
      }
    await this.emit({ kind: 'answered', request });
  }

  /** Yields, so that requests can be read while nothing is computed. */
  private async wanted(request: number): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.asked === request;
  }

  private async answer(
    question: Question,
    subject: Subject,
    of: { request: number; subject: string; variant: PlayVariant },
  ): Promise<void> {
    const stopped = () => this.asked !== of.request;
    if ('draw' in subject) {
      if (question.kind !== 'draw') throw wrongQuestion('draws pictures', 'draw');
      const progress = (step: number, total: number) =>
        this.emit({ kind: 'drawing', ...of, step, of: total });
      const picture = await subject.draw(question, of.variant, { stopped, progress });
      if (picture) await this.emit({ kind: 'picture', ...of, ...picture });
      return;
    }
    if ('answer' in subject) {
      if (question.kind !== 'predict') throw wrongQuestion('gives labels', 'predict');
      return this.emit({ kind: 'prediction', ...of, ...(await subject.answer(question, of.variant)) });
    }
    if (question.kind !== 'generate') throw wrongQuestion('writes texts', 'generate');
    const { template } = subject.facts;
    const made = await generate(
      subject,
      of.variant,
      template === undefined || question.asTyped ? question.text : inTemplate(template, question.text),
      question.settings,
      async (text) => this.emit({ kind: 'token', ...of, text }),
      stopped,
    );
    await this.emit({ kind: 'generated', ...of, ...made });
  }

  /**
   * User errors are reported and the session continues; anything else is a bug and ends the process with its stack
   * trace.
   */
  private async tell(e: unknown, of: { request?: number; subject?: string }): Promise<void> {
    if (!(e instanceof AuroraError)) throw e;
    const { request, subject } = of;
    await this.emit({
      kind: 'problem',
      request,
      subject,
      message: e.message,
      hint: e.hint,
    });
  }
}

const QUESTIONS: readonly PlayRequest['kind'][] = ['predict', 'generate', 'draw'];
const isQuestion = (r: PlayRequest): r is Question => QUESTIONS.includes(r.kind);

const requestOf = (r: PlayRequest): number | undefined => ('request' in r ? r.request : undefined);

const wrongQuestion = (does: string, kind: string): AuroraError =>
  new AuroraError('usage', `This model ${does}.`, `Send a "${kind}" request instead.`);
