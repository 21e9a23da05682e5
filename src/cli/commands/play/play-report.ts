import { relative } from 'node:path';
import { escapeControls } from '../../../base/escape';
import { count, shortNumber, stepTime } from '../../../base/number-text';
import { ANSWERS } from '../../../experiment/tasks/kind';
import type { Generated, PlayFacts, PlayLine } from '../../../protocol/playground';
import type { PlayVariant } from '../../../protocol/play-question';
import { answerText } from '../../answer-text';
import { redraw } from '../../bar';
import { isScreen, sayError, write } from '../../output';
import { table } from '../../table';
import { type DrawingOptions, freeNumber, writePicture } from './drawing';

/** Output for a terminal: answers on stdout, everything else on stderr. */
export class Teller {
  private answers: Extract<PlayLine, { kind: 'prediction' }>[] = [];
  private writing = '';
  /** The text in hand. */
  question = '';

  /** The number of the prompt in hand, in the names of its pictures; undefined before the first. */
  private number: number | undefined;

  /** @param facts of the loaded subjects, which it fills in */
  constructor(
    private readonly facts: Map<string, PlayFacts>,
    private readonly drawing: DrawingOptions,
  ) {}

  async tell(line: PlayLine): Promise<void> {
    switch (line.kind) {
      case 'loading':
        process.stderr.write('Loading…\n');
        return;
      case 'loaded':
        this.facts.set(line.subject, line);
        process.stderr.write(loadedText(line));
        return;
      case 'prediction':
        this.answers.push(line);
        return;
      case 'token':
        await this.head(line);
        return write(line.text);
      case 'generated':
        await this.head(line);
        return write(generatedText(line));
      case 'drawing':
        if (isScreen(process.stderr)) redraw(process.stderr, `Step ${line.step} of ${line.of}`);
        return;
      case 'picture': {
        if (isScreen(process.stderr)) redraw(process.stderr, '');
        const path = writePicture(line, this.drawing, (this.number ??= freeNumber(this.drawing)), line);
        const who = subjectName(this.facts.get(line.subject)!, line.variant);
        return write(
          escapeControls(
            `${relative('', path)}   ${who}, ${line.width} × ${line.height}, ${stepTime(line.seconds)}`,
          ) + '\n',
        );
      }
      case 'answered':
        this.writing = '';
        this.number = undefined;
        if (this.answers.length > 0) await write(answersText(this.answers, this.facts, this.question));
        this.answers = [];
        return;
      case 'problem':
        sayError(`error: ${line.message}\n${line.hint === undefined ? '' : `       ${line.hint}\n`}`);
    }
  }

  /** Prints the model's name before its text begins. */
  private async head({
    subject,
    variant,
  }: Extract<PlayLine, { kind: 'token' | 'generated' }>): Promise<void> {
    const of = this.facts.get(subject)!;
    const who = `${subject} ${variant}`;
    if (this.writing === who) return;
    this.writing = who;
    if (of.base !== undefined) await write(`${escapeControls(subjectName(of, variant))}:\n`);
  }
}

type Prediction = Extract<PlayLine, { kind: 'prediction' }>;

/** A subject's name beside those of others. */
function subjectName(facts: PlayFacts, variant: PlayVariant): string {
  if (variant === 'adapted') return facts.adapters ? combinedName(facts, facts.adapters) : ownName(facts);
  if (facts.base === 'model') return 'base model';
  return facts.step === undefined ? 'base model with this adapter’s head' : 'base model with this run’s head';
}

const ownName = ({ name, step }: PlayFacts): string => (step === undefined ? name : `${name}, step ${step}`);

/** The adapters that answer together: `dog · 0a1b, step 120 × 0.8 + style.safetensors × 0.5`. */
function combinedName(facts: PlayFacts, [own, ...others]: NonNullable<PlayFacts['adapters']>): string {
  const times = (name: string, weight: number) => (weight === 1 ? name : `${name} × ${weight}`);
  return [times(ownName(facts), own!.weight), ...others.map((a) => times(a.name, a.weight))].join(' + ');
}

/** The loaded model and the assumptions about it; ends with a line break. */
export function loadedText(facts: PlayFacts): string {
  const form = facts.form === 'static' ? ' in its static form' : '';
  const lines = [
    `${subjectName(facts, 'adapted')}${form}: ${ANSWERS[facts.answer].does(facts.input, facts.labels.length)}.`,
    ...(facts.template === undefined
      ? []
      : [
          `Prompts are put into the template of training, ${JSON.stringify(facts.template)}; with --as-typed they are not.`,
        ]),
    ...(facts.mask === undefined
      ? []
      : [`Write ${facts.mask} in the place of each token that it is to predict.`]),
    ...facts.assumed.map((a) => `note: ${a}`),
    '',
  ];
  return lines.map((line) => escapeControls(line)).join('\n');
}

/** Each answer in a row: its most likely labels, or its spans; ends with a line break. */
export function answersText(
  answers: readonly Prediction[],
  facts: ReadonlyMap<string, PlayFacts>,
  question: string,
): string {
  const rows = answers.map((a) => {
    const of = facts.get(a.subject)!;
    return [
      `  ${subjectName(of, a.variant)}`,
      ...answerText(a, of, question),
      stepTime(a.seconds),
      a.tokens === undefined ? '' : `${count(a.tokens)} ${a.tokens === 1 ? 'token' : 'tokens'}`,
      a.truncated ? 'truncated' : '',
    ];
  });
  return `${table(rows, '   ').join('\n')}\n`;
}

const ENDED: Record<Generated['ended'], string> = {
  end: 'ended by the model',
  length: 'the maximum requested',
  full: "the model's maximum length",
  stopped: 'stopped',
};

const generatedText = (g: Generated): string =>
  `\n  ${count(g.tokens)} tokens, ${ENDED[g.ended]} · ${shortNumber(g.tokensPerSecond)} tokens/s, the first after ${stepTime(g.secondsToFirst)}\n`;
