import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadModelFrom } from '../../../../src/architectures/load';
import { modelSource } from '../../../../src/architectures/model-source';
import { prepareModel } from '../../../../src/graph/prepare';
import { stepCost } from '../../../../src/checks/cost/step-cost';
import { scratchFolder } from '../../../scratch';
import { changes, countTable, tableText, type Counts, type CountTable } from './counts';
import { BATCH, countGraphs, METHODS, MODELS } from './guarded';
import { RATES } from '../../../estimate';

const FILE = join(import.meta.dirname, '../../../fixtures/cost/counts.json');
const VARIABLE = 'AURORA_TEST_UPDATE_COUNTS';
const UPDATE = `${VARIABLE}=1 npm run test:unit -- cost/counts`;
const folder = scratchFolder('counts');

const columns = [...METHODS];
const paths = new Map<string, string>();
/** The cost of each method on any machine, by graph. */
const graphs = new Map<string, Counts[]>();

beforeAll(async () => {
  for (const [name, make] of Object.entries(MODELS)) {
    const own = join(folder, name);
    mkdirSync(own);
    paths.set(name, make(own));
    const [steps, evaluations]: Counts[][] = [[], []];
    for (const method of columns) {
      const { step, evaluation } = await countGraphs(paths.get(name)!, method, join(own, method));
      steps.push(step);
      evaluations.push(evaluation);
    }
    graphs.set(`${name}, step`, steps).set(`${name}, evaluation`, evaluations);
  }
});

it('each graph costs what test/fixtures/cost/counts.json says', () => {
  const now = countTable(UPDATE, columns, graphs);
  if (process.env[VARIABLE] === '1') writeFileSync(FILE, tableText(now));
  const changed = changes(JSON.parse(readFileSync(FILE, 'utf8')) as CountTable, now);
  if (changed.length > 0)
    expect.fail(
      `The cost of a training step or an evaluation has changed:\n  ${changed.join('\n  ')}\n` +
        `If that is intended, write the new counts with \`${UPDATE}\`, and commit them: a review then sees the change.`,
    );
});

it.each(Object.keys(MODELS))('`aurora inspect` estimates the step that runs: %s', (name) => {
  const model = prepareModel(loadModelFrom(modelSource(paths.get(name)!)));
  const { memory, time } = stepCost(model, { ...BATCH, method: 'aurora', rank: 2 }, RATES);
  const counts = graphs.get(`${name}, step`)![columns.indexOf('aurora')];
  expect(time!.flops).toBe(counts.get('products, FLOPs'));
  expect(memory!.activations / counts.get('peak live bytes')!).toBeCloseTo(1, 1);
});

it('says which count of which graph has changed, from what to what', () => {
  const table = (transposes: number[], bytes: number): CountTable => ({
    update: '',
    columns: ['lora', 'aurora'],
    graphs: { 'vit, step': { 'bytes moved': [1000, bytes], 'nodes: Transpose': transposes } },
  });
  expect(changes(table([3, 4], 2000), table([3, 4], 2000))).toEqual([]);
  expect(changes(table([3, 0], 2000), table([4, 2], 1900))).toEqual([
    'vit, step, lora: nodes: Transpose 3 → 4 (+33.3%)',
    'vit, step, aurora: bytes moved 2,000 → 1,900 (−5.0%)',
    'vit, step, aurora: nodes: Transpose 0 → 2',
  ]);
});

it('says it of graphs and methods that are new or gone', () => {
  const table = (graph: string): CountTable => ({
    update: '',
    columns: ['lora'],
    graphs: { [graph]: { nodes: [5] } },
  });
  expect(changes(table('a'), table('b'))).toEqual(['a, lora: nodes 5 → 0 (−100.0%)', 'b, lora: nodes 0 → 5']);
});
