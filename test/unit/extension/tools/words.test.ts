import { expect, it } from 'vitest';
import { preflightConfirmation, runConfirmation } from '../../../../src/extension/tools/tool-words';
import { spec } from '../run-maker';

const shown = (path: string) => path.replace('/models/', '');
const question = { file: 'mine.aurora.json', spec, changed: [], active: [], shown };

it('says what will be trained, on what, before anything starts', () =>
  expect(runConfirmation(question)).toEqual({
    title: 'Train the Experiment?',
    message: `\`mine.aurora.json\` is trained on this machine, in a new run folder.

AuroRA r2, 3 epochs, batch 16, learning rate 1e-3.

Model: \`m.onnx\`. Training data: \`/data/train.jsonl\`.`,
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
