import { expect, it } from 'vitest';
import { AskedTexts } from '../../../src/tools/asked';

it('an experiment that was changed while the question was open is not started', () => {
  const asked = new AskedTexts();
  const input = { experiment: 'a.aurora.json' };
  const answer = (subject?: string, of: object = input) =>
    asked.requireAsked('aurora_run', of as typeof input, { subject });
  asked.ask('aurora_run', input, { subject: 'epochs: 1' });
  asked.ask('aurora_run', { experiment: 'b.aurora.json' }, { subject: 'epochs: 2' });
  expect(() => answer('epochs: 100')).toThrow('was changed while the question about it was open');
  // The next question is about the experiment as it is then.
  asked.ask('aurora_run', input, { subject: 'epochs: 100' });
  expect(() => answer('epochs: 100')).not.toThrow();
  expect(() => answer('epochs: 1', { experiment: 'b.aurora.json' })).toThrow('was changed');
});
