import { expect, it } from 'vitest';
import { caseTolerances, tolerancesOf } from '../../../../../src/cli/commands/reference/tolerance';
import { CPU } from '../../../../../src/engine/place';

it('a case has the tolerances of its device, or its own, and names what is not one', () => {
  const usual = tolerancesOf(CPU);
  expect(caseTolerances(CPU, undefined, 'case.json')).toEqual(usual);
  expect(caseTolerances(CPU, { logits: 0.01 }, 'case.json')).toEqual({ ...usual, logits: 0.01 });
  const refused = (own: object) => () => caseTolerances(CPU, own, 'case.json');
  expect(refused({ logit: 0.01 })).toThrow('case.json: tolerance has the key "logit".');
  expect(refused({ loss: 'loose' })).toThrow('case.json: tolerance.loss is "loose".');
  expect(refused({ loss: 0 })).toThrow('case.json: tolerance.loss is 0.');
});
