import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readReference } from '../../src/cli/reference/case';
import { CPU, type Place } from '../../src/engine/place';
import { subjectOf, verify } from './engines';
import { fixture } from './files';

const WASM: Place = { engine: 'tfjs', device: 'wasm' };

const cases = ['./', './more/'].flatMap((folder) =>
  readdirSync(fixture(folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}${name}`)
    .filter((name) => readReference(fixture(name)).kind === 'model'),
);

describe('both engines agree', () => {
  it('on models that are there', () => expect(cases).toHaveLength(22));

  it.each(cases)('%s', async (name) => {
    const { model, subject } = await subjectOf(name);
    const result = await verify({ place: CPU, model }, { place: WASM, model }, subject);
    expect(result.first).toBeUndefined();
    expect(result.rows.filter((r) => !r.agree)).toEqual([]);
    expect(result.rows).toHaveLength(6);
    const gradients = result.rows.find((r) => r.values === 'perturbed' && r.what === 'gradients')!;
    expect(gradients).toMatchObject({ zero: 0, of: subject.rounds[0].parameters.size });
  });
});
