import { expect, it } from 'vitest';
import { codeSpan, plainWords } from '../../../src/base/escape';
import {
  exportConfirmation,
  forkConfirmation,
  preflightConfirmation,
  runConfirmation,
  stopConfirmation,
  sweepConfirmation,
} from '../../../src/tools/tool-words';
import { spec } from '../extension/run-maker';

const shown = (path: string) => path.replace('/models/', '');
const markup = { file: codeSpan, words: plainWords };
const plan = 'About 120 steps, 2 min, 1.2 GB of memory, as a preflight measured.';
const question = { file: 'mine.aurora.json', spec, changed: [], active: [], shown, markup, plan };

it('says what will be trained, on what, before anything starts', () =>
  expect(runConfirmation(question)).toEqual({
    title: 'Train the Experiment?',
    message: `\`mine.aurora.json\` is trained on this machine, in a new run folder.

AuroRA r2, 3 epochs, batch 16, learning rate 1e-3.

Model: \`m.onnx\`. Training data: \`/data/train.jsonl\`.

About 120 steps, 2 min, 1.2 GB of memory, as a preflight measured.`,
    agree: 'Train',
  }));

it('names changed settings and runs in progress; nothing from a file is formatted', () => {
  const { message } = runConfirmation({
    ...question,
    file: 'a`b.aurora.json',
    changed: ['training.epochs=1'],
    active: ['*bold* [link](x)'],
  });
  expect(message).toContain('``a`b.aurora.json`` is trained on this machine');
  expect(message).toContain('Changed for this run: `training.epochs=1`.');
  expect(message).toContain('Another run is in progress, so both take longer: \\*bold\\* \\[link\\](x).');
});

it('a preflight asks, too, because it runs the model', () => {
  const { title, message } = preflightConfirmation({ ...question, active: ['AuroRA r2'] });
  expect(title).toBe('Run the Preflight?');
  expect(message).toMatch(/a few real training steps on this machine\. Nothing is kept\./);
  expect(message).toContain('A run is in progress, so times are not reliable: AuroRA r2.');
});

it('a fork names its run and the step', () => {
  const { message } = forkConfirmation({ ...question, run: '#3 lr 2e-3', step: 40 });
  expect(message).toContain('#3 lr 2e-3 is trained on from step 40 on this machine, in a new run folder.');
  expect(message).toContain('About 120 steps');
});

it('a sweep says how many trials there are, how many are left, and in what they differ', () => {
  const sweep = { ...question, trials: 12, done: 0, varied: ['training.seed'] };
  expect(sweepConfirmation(sweep).message).toMatch(
    /is trained on this machine: 12 trials\.[^]*Trials differ in `training\.seed`\.[^]*Each trial: About 120 steps/,
  );
  expect(sweepConfirmation({ ...sweep, done: 5 }).message).toContain('5 of 12 trials are done.');
});

it('what is computed or stopped is named, too', () => {
  expect(exportConfirmation({ ...question, run: 'Best so far', form: 'peft-lora' }).message).toContain(
    'Best so far is exported as peft-lora into its run folder',
  );
  expect(stopConfirmation('Best so far', false, markup)).toEqual({
    title: 'Stop the Run?',
    message: 'Best so far finishes its step and saves. Resume continues it.',
    agree: 'Stop',
  });
});
