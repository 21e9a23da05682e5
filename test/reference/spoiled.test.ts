import { describe, expect, it } from 'vitest';
import { runAnlCases } from '../../src/cli/commands/reference/anl-case';
import {
  readReference,
  type AnlCase,
  type DenseArray,
  type ReferenceCase,
} from '../../src/cli/commands/reference/case';
import { runModelCase } from '../../src/cli/commands/reference/model-case';
import { failures } from '../../src/cli/commands/reference/reference';
import { fixture } from './files';

const modelFile = readReference(fixture('bert-aurora.json'));
const anlFile = readReference(fixture('anl.json'));
if (modelFile.kind !== 'model' || anlFile.kind !== 'anl')
  throw new Error('The fixtures have changed places.');
const { modelPath, case: whole } = modelFile;

/** The fields of the case that fail after a change. */
async function failingFields(spoil: (c: ReferenceCase) => void): Promise<string[]> {
  const c = structuredClone(whole);
  spoil(c);
  return failures(await runModelCase(modelPath, c)).map((f) => f.field);
}

/** Changes a tensor by three times the tolerance for its largest magnitude. */
const nudge = (a: DenseArray, relative: number): void => {
  a.data[0] += 3 * relative * Math.max(...a.data.map(Math.abs));
};

const LAYER = 'layer.0.query';
/** Sets any value anywhere. */
const set = (at: object, key: string, value: unknown): void => void Reflect.set(at, key, value);
const scale = (at: object, key: string, by: number): void => set(at, key, Number(Reflect.get(at, key)) * by);
const drop = (at: object, key: string): void => void Reflect.deleteProperty(at, key);

/** Independent of each other, so that one run shows that each fails alone by its name. */
const OUT_OF_TOLERANCE: [string, (c: ReferenceCase) => void][] = [
  ['loss', (c) => scale(c, 'loss', 1 + 3e-5)],
  ['logits', (c) => nudge(c.logits, 1e-4)],
  [`gradients.${LAYER}.B`, (c) => nudge(c.gradients[`${LAYER}.B`], 1e-4)],
  ['gradients.head.bias', (c) => nudge(c.gradients['head.bias'], 1e-4)],
  ['adamw.lossBeforeEachStep[7]', (c) => scale(c.adamw.lossBeforeEachStep, '7', 1 + 3e-5)],
  ['adamw.finalLoss', (c) => scale(c.adamw, 'finalLoss', 1 + 3e-5)],
  [`trainedNorms.${LAYER}.A`, (c) => scale(c.trainedNorms, `${LAYER}.A`, 1 + 3e-4)],
  [`mergedDelta.${LAYER}`, (c) => nudge(c.mergedDelta[LAYER], 1e-5)],
  ['afterTraining.mergedLogits', (c) => nudge(c.afterTraining.mergedLogits, 2e-4)],
  ['otherShapes[0].loss', (c) => scale(c.otherShapes[0], 'loss', 1 + 3e-5)],
  [`otherShapes[0].gradients.${LAYER}.B`, (c) => nudge(c.otherShapes[0].gradients[`${LAYER}.B`], 1e-4)],
];

it('values out of tolerance fail with the names of their fields, and nothing else does', async () => {
  const fields = await failingFields((c) => OUT_OF_TOLERANCE.forEach(([, spoil]) => spoil(c)));
  const names = fields.map((f) => f.replace(' (evaluation)', ''));
  expect(new Set(names)).toEqual(new Set(OUT_OF_TOLERANCE.map(([field]) => field)));
  expect(fields).toEqual(expect.arrayContaining(OUT_OF_TOLERANCE.map(([field]) => field)));
});

describe('missing, extra and non-finite values fail', () => {
  const TOP =
    'objective head adapter hyper targets modules inputs labels trainable loss logits gradients mergedDelta adamw trainedNorms afterTraining otherShapes';

  it.each(TOP.split(' '))('for a missing %s', async (key) => {
    const fields = await failingFields((c) => drop(c, key));
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.every((f) => f.startsWith(key))).toBe(true);
  });

  it.each<[string, (c: ReferenceCase) => void]>([
    ['otherShapes[0].inputs.input_ids', (c) => drop(c.otherShapes[0].inputs, 'input_ids')],
    ['adamw.lr', (c) => drop(c.adamw, 'lr')],
    ['modules.more', (c) => set(c.modules, '4', 'more')],
    ['loss', (c) => set(c, 'loss', NaN)],
    [`gradients.${LAYER}.A`, (c) => set(c.gradients[`${LAYER}.A`], 'dims', [1, 1])],
    [`trainable.${LAYER}.A`, (c) => set(c.trainable[`${LAYER}.A`].data, '5', Infinity)],
    ['labels', (c) => set(c.labels.data, '0', null)],
  ])('for %s', async (field, spoil) => {
    expect(await failingFields(spoil)).toContain(field);
  });

  it('for each of several at once', async () => {
    const spoils: [string, (c: ReferenceCase) => void][] = [
      [`gradients.${LAYER}.H`, (c) => drop(c.gradients, `${LAYER}.H`)],
      ['otherShapes[0].gradients.head.weight', (c) => drop(c.otherShapes[0].gradients, 'head.weight')],
      [`trainedNorms.${LAYER}.W`, (c) => drop(c.trainedNorms, `${LAYER}.W`)],
      [`mergedDelta.${LAYER}`, (c) => drop(c.mergedDelta, LAYER)],
      ['adamw.finalLoss', (c) => drop(c.adamw, 'finalLoss')],
      ['gradients.more.A', (c) => set(c.gradients, 'more.A', { dims: [1], data: [0] })],
      ['trainedNorms.more.A', (c) => set(c.trainedNorms, 'more.A', 1)],
      ['mergedDelta.more', (c) => set(c.mergedDelta, 'more', { dims: [1], data: [0] })],
      ['loss', (c) => set(c, 'loss', null)],
      ['logits', (c) => set(c.logits.data, '2', null)],
      [`gradients.${LAYER}.A`, (c) => set(c.gradients[`${LAYER}.A`].data, '5', NaN)],
      ['adamw.lossBeforeEachStep[3]', (c) => set(c.adamw.lossBeforeEachStep, '3', null)],
      [`trainedNorms.${LAYER}.A`, (c) => set(c.trainedNorms, `${LAYER}.A`, null)],
    ];
    const fields = await failingFields((c) => spoils.forEach(([, spoil]) => spoil(c)));
    expect(fields).toEqual(expect.arrayContaining(spoils.map(([field]) => field)));
  });

  it('in a curve without its last point', async () => {
    expect(await failingFields((c) => c.adamw.lossBeforeEachStep.pop())).toContain('adamw.finalLoss');
  });
});

describe('the nonlinear layer on its own', () => {
  const fields = async (spoil: (c: AnlCase) => void): Promise<string[]> => {
    const cases = structuredClone(anlFile.cases.slice(0, 1));
    spoil(cases[0]);
    return failures(await runAnlCases(cases)).map((f) => f.field);
  };
  const KEYS = ['bases', 'sigma', 'gradZ', 'gradH', 'gradW'] as const;

  it.each(KEYS)('fails if %s is out of tolerance', async (key) => {
    const bad = await fields((c) => nudge(c[key]!, 1e-4));
    expect(bad.map((f) => f.replace(' (host)', ''))).toContain(`cases[0].${key}`);
    expect(bad.every((f) => f.startsWith(`cases[0].${key}`))).toBe(true);
  });

  it.each([...KEYS, 'z', 'weight', 'H', 'W'] as const)('fails if %s is missing', async (key) => {
    expect(await fields((c) => drop(c, key))).toContain(`cases[0].${key}`);
  });

  it('fails without any cases', async () => {
    expect(failures(await runAnlCases([])).map((f) => f.field)).toEqual(['cases']);
  });
});
