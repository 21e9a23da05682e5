import { describe, expect, it } from 'vitest';
import { CPU, type Place } from '../../src/engine/place';
import { subjectOf, verify } from './engines';
import { modelFiles } from './files';

const WASM: Place = { engine: 'tfjs', device: 'wasm' };

describe('both engines agree', () => {
  it('on all reference models', () => expect(modelFiles()).toHaveLength(53));

  it.each(modelFiles())('on %s', async (name) => {
    const { model, subject } = await subjectOf(name);
    const result = await verify({ place: CPU, model }, { place: WASM, model }, subject);
    expect(result.first).toBeUndefined();
    expect(result.rows.filter((r) => !r.agree)).toEqual([]);
    expect(result.rows).toHaveLength(6);
    const gradients = result.rows.find((r) => r.values === 'perturbed' && r.what === 'gradients')!;
    expect(gradients).toMatchObject({ zero: 0, of: subject.rounds[0].parameters.size });
  });
});
