import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/experiment/experiment';
import type { AdapterSpec } from '../../../src/experiment/methods';
import { settingsNames, trialText } from '../../../src/experiment/run-names';
import { distinctNames } from '../../../src/runs/run-labels';
import { auroraSpec, loraSpec } from '../specs';
import { spec } from '../extension/run-maker';

const run = (
  training: Partial<Experiment['training']> = {},
  adapter: AdapterSpec = loraSpec(),
  rest: Partial<Experiment> = {},
): Experiment => ({ ...spec, ...rest, adapter, training: { ...spec.training, ...training } });

describe("the names of an experiment's runs", () => {
  it('have the settings that differ, the most telling first and in short', () => {
    const runs = [
      run({ seed: 1, batchSize: 8, learningRate: 1e-3, headLearningRate: 1e-3 }),
      run({ seed: 2, batchSize: 16, learningRate: 2.5e-4, headLearningRate: 2.5e-4 }),
    ];
    expect(settingsNames(runs)).toEqual(['lr 1e-3 · batch 8 · seed 1', 'lr 2.5e-4 · batch 16 · seed 2']);
  });

  it('write the values of a setting in one notation', () => {
    const rates = [1e-3, 0.01, 0.05, 0.1].map((rate) => run({ learningRate: rate, headLearningRate: rate }));
    expect(settingsNames(rates)).toEqual(['lr 1e-3', 'lr 1e-2', 'lr 5e-2', 'lr 1e-1']);
    const decays = [0, 0.001, 0.01].map((weightDecay) => run({ weightDecay }));
    expect(settingsNames(decays)).toEqual(['decay 0', 'decay 1e-3', 'decay 1e-2']);
    const dropouts = [0.005, 0.05, 0.1].map((dropout) => run({}, loraSpec({ dropout })));
    expect(settingsNames(dropouts)).toEqual(['dropout 0.005', 'dropout 0.05', 'dropout 0.1']);
  });

  it('have training before the method, and never leave out the seed', () => {
    const many = [1, 2].map((n) =>
      run(
        { seed: n, epochs: n, batchSize: 8 * n, learningRate: n, warmupRatio: n / 10 },
        loraSpec({ dropout: n / 10 }),
      ),
    );
    expect(settingsNames(many)).toEqual([
      'lr 1 · epochs 1 · batch 8 · seed 1',
      'lr 2 · epochs 2 · batch 16 · seed 2',
    ]);
  });

  it('have only the method and its size if nothing else differs', () => {
    expect(settingsNames([run(), run()])).toEqual(['LoRA r8', 'LoRA r8']);
    expect(settingsNames([run({}, { method: 'none' })])).toEqual(['Head only']);
    // A comment-like setting changes no result, and an alpha that follows from the rank says nothing new.
    const ranks = [
      run({ checkpointEvery: 7 }, loraSpec({ rank: 4, alpha: 8 })),
      run({}, loraSpec({ rank: 8, alpha: 16 })),
    ];
    expect(settingsNames(ranks)).toEqual(['LoRA r4', 'LoRA r8']);
  });

  it('do not have settings that another method lacks', () => {
    const runs = [run({}, auroraSpec()), run(), run({ epochs: 5 })];
    expect(settingsNames(runs)).toEqual(['AuroRA r2 · epochs 3', 'LoRA r8 · epochs 3', 'LoRA r8 · epochs 5']);
    const grids = [run({}, auroraSpec({ gridSize: 9, fixed: false })), run({}, auroraSpec()), run()];
    expect(settingsNames(grids)).toEqual([
      'AuroRA r2 · grid 9 · no F',
      `AuroRA r2 · grid ${auroraSpec().gridSize} · F`,
      'LoRA r8',
    ]);
  });

  it('have the reading of the spline where it differs', () => {
    const runs = [run({}, auroraSpec({ spline: 'per-pair' })), run({}, auroraSpec())];
    expect(settingsNames(runs)).toEqual(['spline per-pair', 'spline shared']);
  });

  it('name files without their folders and cut long values', () => {
    const data = (train: string) => ({ data: { ...spec.data, train } });
    const runs = [
      run({}, loraSpec({ targetModules: ['query', 'key', 'value', 'output'] }), data('/d/a.jsonl')),
      run({}, loraSpec(), data('/d/b.jsonl')),
    ];
    expect(settingsNames(runs)).toEqual(['on query,key…e,output · a.jsonl', 'on query,value · b.jsonl']);
  });

  it('leave out what some runs do not set', () => {
    expect(settingsNames([run({ maxSteps: 40 }), run()])).toEqual(['steps 40', 'LoRA r8']);
  });

  it('have the start of the id where nothing else distinguishes', () => {
    const at = (seed: number, id: string) => ({ id: `20250102T030405Z-${id}0000`, spec: run({ seed }) });
    expect(distinctNames([at(0, 'aaaa')])).toEqual(['LoRA r8 · aaaa']);
    expect(distinctNames([at(0, 'aaaa'), at(0, 'bbbb')])).toEqual(['LoRA r8 · aaaa', 'LoRA r8 · bbbb']);
    expect(distinctNames([at(0, 'aaaa'), at(0, 'bbbb'), at(1, 'cccc')])).toEqual([
      'seed 0 · aaaa',
      'seed 0 · bbbb',
      'seed 1',
    ]);
    const numbered = [at(0, 'aaaa'), at(0, 'bbbb')].map((of, i) => ({ ...of, number: i + 1 }));
    expect(distinctNames(numbered)).toEqual(['LoRA r8', 'LoRA r8']);
  });

  it('are short for trials of a sweep, too', () => {
    expect(trialText({ 'adapter.rank': 4, 'training.learningRate': 0.002 })).toBe('rank 4 · lr 2e-3');
    expect(trialText({ adapter: { method: 'lora', rank: 8 }, 'a.x': 1, 'b.x': '2' })).toBe(
      'adapter lora 8 · a.x 1 · b.x 2',
    );
    expect(trialText({ 'a.x': 1, 'b.x': 2 }, ['b.x'])).toBe('x 2');
  });
});
