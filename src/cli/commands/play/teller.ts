import { relative } from 'node:path';
import { escapeControls } from '../../../base/escape';
import { stepTime } from '../../../base/number-text';
import type { PlayFacts, PlayLine } from '../../../protocol/playground';
import { redraw } from '../../bar';
import { isScreen } from '../../terminal';
import { sayError } from '../../quiet';
import { write } from '../../write';
import { freeNumber, writePicture, type DrawingOptions } from './drawing';
import { answersText, generatedText, loadedText, subjectName } from './report';

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
