import { AuroraError } from '../../../base/errors';
import type { StoredTensor, StoredWeights } from '../weight-files';
import { awqWeight, type AwqTensors } from './awq';
import { fourBitWeight, int8Weight, stateOf } from './bitsandbytes';
import { gptqWeight, type GptqSettings, type GptqTensors } from './gptq';
import { mxfp4Weight } from './mxfp4';
import { type PackedWeight, unreadable } from './packed-weight';
import type { Quantization } from './quantization';

type Tensors = ReadonlyMap<string, StoredTensor>;

/**
 * The weights of a folder with one entry for each weight of few bits, under the name and with the shape that it has in the model
 * before quantization, in place of the tensors that it is stored in.
 *
 * @throws AuroraError 'model' for layouts that are incomplete or not supported
 */
export function withPacked(stored: StoredWeights, quantization: Quantization | undefined): StoredWeights {
  if (!quantization) return stored;
  const tensors = new Map(stored.tensors);
  for (const [name, entry] of entriesOf(stored.tensors, quantization)) {
    for (const part of entry.packed!.stored) tensors.delete(part.name);
    tensors.set(name, entry);
  }
  if (quantization.method === 'awq') refuseActivationScales(tensors);
  return { ...stored, tensors };
}

function* entriesOf(tensors: Tensors, quantization: Quantization): Generator<[string, StoredTensor]> {
  switch (quantization.method) {
    case 'gptq':
      for (const module of modulesWith(tensors, '.qweight')) yield gptqEntry(tensors, module, quantization);
      return;
    case 'awq':
      for (const module of modulesWith(tensors, '.qweight'))
        yield awqEntry(tensors, module, quantization.groupSize);
      return;
    case 'bitsandbytes':
      for (const module of modulesWith(tensors, '.weight.absmax')) yield fourBitEntry(tensors, module);
      for (const module of modulesWith(tensors, '.SCB')) yield int8Entry(tensors, module);
      return;
    case 'mxfp4':
      for (const name of modulesWith(tensors, '_blocks')) yield mxfp4Entry(tensors, name);
  }
}

/** The beginnings of names that end so. */
const modulesWith = (tensors: Tensors, ending: string): string[] =>
  [...tensors.keys()].flatMap((name) => (name.endsWith(ending) ? [name.slice(0, -ending.length)] : []));

/** A tensor that a layout cannot do without. */
function partOf(tensors: Tensors, name: string, beside: string): StoredTensor {
  const found = tensors.get(name);
  if (!found) throw unreadable(tensors.get(beside)!.data.path, `${beside} is there without ${name}`);
  return found;
}

const entry = (
  name: string,
  type: string,
  dims: number[],
  first: StoredTensor,
  stored: readonly StoredTensor[],
  as: (dims: readonly number[]) => PackedWeight,
): [string, StoredTensor] => [name, { name, dtype: type, dims, data: first.data, packed: { stored, as } }];

function gptqEntry(tensors: Tensors, module: string, settings: GptqSettings): [string, StoredTensor] {
  const first = `${module}.qweight`;
  const part = (name: string) => partOf(tensors, `${module}.${name}`, first);
  const own: GptqTensors = {
    qweight: part('qweight'),
    qzeros: part('qzeros'),
    scales: part('scales'),
    ...(tensors.has(`${module}.g_idx`) && { g_idx: part('g_idx') }),
  };
  if (settings.sorted && !own.g_idx)
    throw unreadable(own.qweight.data.path, `${first} is there without g_idx`);
  const { packed, dims } = gptqWeight(own, settings);
  return entry(`${module}.weight`, 'GPTQ', dims, own.qweight, packed.stored, () => packed);
}

function awqEntry(tensors: Tensors, module: string, groupSize: number): [string, StoredTensor] {
  const first = `${module}.qweight`;
  const part = (name: string) => partOf(tensors, `${module}.${name}`, first);
  const own: AwqTensors = {
    qweight: part('qweight'),
    scales: part('scales'),
    ...(tensors.has(`${module}.qzeros`) && { qzeros: part('qzeros') }),
  };
  const { packed, dims } = awqWeight(own, groupSize);
  return entry(`${module}.weight`, 'AWQ', dims, own.qweight, packed.stored, () => packed);
}

function fourBitEntry(tensors: Tensors, module: string): [string, StoredTensor] {
  const name = `${module}.weight`;
  const part = (ending: string) => partOf(tensors, `${name}.${ending}`, `${name}.absmax`);
  const weight = partOf(tensors, name, `${name}.absmax`);
  const type =
    (['nf4', 'fp4'] as const).find((t) => tensors.has(`${name}.quant_state.bitsandbytes__${t}`)) ?? 'nf4';
  const own = {
    weight,
    absmax: part('absmax'),
    map: part('quant_map'),
    state: part(`quant_state.bitsandbytes__${type}`),
    type,
    ...(tensors.has(`${name}.nested_absmax`) && {
      nested: { absmax: part('nested_absmax'), map: part('nested_quant_map') },
    }),
  };
  const stored = [weight, own.absmax, own.map, own.state, ...(own.nested ? Object.values(own.nested) : [])];
  const as = (dims: readonly number[]) => fourBitWeight(own, dims);
  return entry(name, type.toUpperCase(), stateOf(own.state)?.shape ?? [], weight, stored, as);
}

function int8Entry(tensors: Tensors, module: string): [string, StoredTensor] {
  const format = tensors.get(`${module}.weight_format`);
  const weight = partOf(tensors, `${module}.weight`, `${module}.SCB`);
  const packed = int8Weight({
    weight,
    SCB: tensors.get(`${module}.SCB`)!,
    ...(format && { weight_format: format }),
  });
  return entry(`${module}.weight`, 'INT8', weight.dims, weight, packed.stored, () => packed);
}

function mxfp4Entry(tensors: Tensors, name: string): [string, StoredTensor] {
  const blocks = tensors.get(`${name}_blocks`)!;
  const { packed, dims } = mxfp4Weight({
    blocks,
    scales: partOf(tensors, `${name}_scales`, `${name}_blocks`),
  });
  return entry(name, 'MXFP4', dims, blocks, packed.stored, () => packed);
}

/** AutoAWQ divides the output of some activations, where no product before them can take their scales. */
function refuseActivationScales(tensors: Tensors): void {
  const found = [...tensors.values()].find(({ name }) => name.endsWith('.scales'));
  if (!found) return;
  throw new AuroraError(
    'model',
    `${found.data.path}: ${found.name} scales an activation (AWQ's ScaledActivation), which is not supported.`,
    'Download the model as it was before it was quantized; "quantize": 4 in "model" then stores it in few bits.',
  );
}
