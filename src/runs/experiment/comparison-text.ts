import { findNodeAtLocation } from 'jsonc-parser';
import { adapterDefaults } from '../../experiment/adapter-defaults';
import type { AdapterSpec } from '../../experiment/methods';
import { insertProperty, removeProperty } from './jsonc';
import { parseText } from './parse-text';
import { own } from '../../base/names';
import { count } from '../../base/number-text';

/** A comparison of adapters, each at every learning rate with every seed. */
export interface Comparison {
  adapters: readonly { spec: AdapterSpec; parameters: number }[];
  learningRates: readonly number[];
  seeds: readonly number[];
  /** If set, also trains the first adapter in its static form throughout: this is the number of all epochs. */
  staticEpochs?: number;
}

/**
 * An experiment's text with a comparison as its sweep, which replaces an existing one. Comments and layout stay. Every
 * method gets the same learning rates, so the search is equally thorough for all.
 */
export function comparisonText(text: string, comparison: Comparison): string {
  const before = parseText(text).root!;
  const old = findNodeAtLocation(before, ['sweep']);
  const without = old ? removeProperty(text, old.parent!) : text;
  const root = parseText(without).root!;
  return insertProperty(without, root, 'sweep', section(comparison));
}

const hasSearch = ({ learningRates, seeds }: Comparison): boolean =>
  learningRates.length > 1 && seeds.length > 1;

function section(comparison: Comparison): string {
  const { staticEpochs } = comparison;
  const lines = [
    '{',
    ...(staticEpochs === undefined ? grid(comparison) : trials(comparison, staticEpochs)),
    ...(hasSearch(comparison)
      ? ['  // The other seeds use only the best rate.', '  "learningRateSearch": { "seeds": 1 }']
      : []),
    '}',
  ];
  return lines.join('\n  ');
}

function grid(comparison: Comparison): string[] {
  const { adapters, learningRates, seeds } = comparison;
  return [
    '  "type": "grid",',
    '  "parameters": {',
    '    "adapter": [',
    ...adapters.flatMap(({ spec, parameters }, i) => [
      `      // ${size(parameters)}`,
      `      ${written(spec)}${i < adapters.length - 1 ? ',' : ''}`,
    ]),
    '    ],',
    '    // The same for all adapters, which are compared at their best.',
    `    "training.learningRate": ${list(learningRates)},`,
    `    "training.seed": ${list(seeds)}`,
    `  }${hasSearch(comparison) ? ',' : ''}`,
  ];
}

/** Lists each trial, since a grid cannot change a training setting for one adapter only. */
function trials(comparison: Comparison, staticEpochs: number): string[] {
  const { adapters, learningRates, seeds } = comparison;
  const [first] = adapters;
  const all = [
    ...adapters.map(({ spec, parameters }) => ({
      name: size(parameters),
      settings: [`"adapter": ${written(spec)}`],
    })),
    {
      name: `${size(first.parameters)}, trained in the static form`,
      settings: [`"adapter": ${written(first.spec)}`, `"training.staticEpochs": ${staticEpochs}`],
    },
  ];
  const lines = all.flatMap(({ name, settings }) => [
    `    // ${name}`,
    ...learningRates.flatMap((rate) =>
      seeds.map(
        (seed) =>
          `    { ${[...settings, `"training.learningRate": ${rate}`, `"training.seed": ${seed}`].join(', ')} },`,
      ),
    ),
  ]);
  const last = lines.pop()!.slice(0, -1);
  return [
    '  "type": "list",',
    '  // Learning rates and seeds are the same for all adapters, which are compared at their best.',
    '  "trials": [',
    ...lines,
    last,
    `  ]${hasSearch(comparison) ? ',' : ''}`,
  ];
}

const size = (parameters: number): string => `${count(parameters)} trainable parameters in the model`;

/** The spec on one line, without defaults. */
function written(spec: AdapterSpec): string {
  const usual = adapterDefaults(spec.method);
  const entries = Object.entries(spec).filter(
    ([key, value]) => key === 'method' || JSON.stringify(value) !== JSON.stringify(own(usual, key)),
  );
  // The method first, by convention.
  entries.sort(([a], [b]) => Number(b === 'method') - Number(a === 'method'));
  return `{ ${entries.map(([key, value]) => `"${key}": ${inline(value)}`).join(', ')} }`;
}

const list = (values: readonly unknown[]): string => `[${values.map((v) => JSON.stringify(v)).join(', ')}]`;
const inline = (value: unknown): string => (Array.isArray(value) ? list(value) : JSON.stringify(value));
