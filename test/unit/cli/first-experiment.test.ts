import { expect, it } from 'vitest';
import { FIRST_EXPERIMENT } from '../../../src/cli/suggested-commands';
import { parseExperiment } from '../../../src/runs/experiment/load';

it('the experiment to begin with is one', () => {
  const { data, adapter } = parseExperiment('first.aurora.json', FIRST_EXPERIMENT, []);
  expect(data).toMatchObject({ textColumn: 'text', labelColumn: 'label' });
  expect(adapter.method).toBe('aurora');
});
