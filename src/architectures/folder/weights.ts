import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { replaceFile, writeAll } from '../../files/atomic';
import { byteSize, DType } from '../../graph/dtype';
import { elementCount, type FileRef, isFileRef, type Tensor } from '../../graph/model';
import { isFourBit } from '../../graph/number-formats';
import { readFileRef } from '../../graph/values';
import { type Conversion, floatConversion, type View } from './converted';
import { type PackedTensors, type PackedWeight, tensorsOf, endingOf } from './few-bits/packed-weight';
import type { StoredTensor, StoredWeights } from './weight-files';

/** Bytes per value of the types that can be read. */
const BYTES: ReadonlyMap<string, number> = new Map([
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
]);

/** Names in checkpoints of models that were first trained with TensorFlow. */
const OLD_NAMES: readonly [RegExp, string][] = [
  [/\.weight$/, '.gamma'],
  [/\.bias$/, '.beta'],
];

/** The weights of a model by their names in the base model, each checked when it is used. */
export class Weights {
  /** The prefix of the task model that the folder holds: `bert.`, or nothing. */
  readonly prefix: string;
  /** The prefix of the base model's names that the folder's names lack. */
  private readonly lacking: string = '';
  private readonly used = new Map<string, { tensor: Tensor; stored: StoredTensor }>();
  private readonly views = new Map<string, View & { of: Tensor }>();
  private readonly unpacked = new Map<
    string,
    { of: PackedWeight; tensors: PackedTensors; stored: StoredTensor }
  >();

  /**
   * @param prefixes of task models of the family
   * @param marker a weight that each model of the family has
   * @param outer a prefix that names may lack
   * @param keepsFloats returns true for a linear layer, by its name in the folder, that may be stored in floats
   * @throws AuroraError 'model' if no name fits
   */
  constructor(
    private readonly stored: StoredWeights,
    private readonly folder: string,
    prefixes: readonly string[],
    marker: string,
    outer = '',
    private readonly keepsFloats: (module: string) => boolean = () => true,
  ) {
    const found = [...prefixes, ''].find((prefix) => stored.tensors.has(prefix + marker));
    const isInner = found === undefined && outer !== '' && stored.tensors.has(marker.slice(outer.length));
    if (found === undefined && !isInner) throw this.missing(prefixes[0] + marker);
    this.prefix = found ?? '';
    if (isInner) this.lacking = outer;
  }

  /** True if a weight is there, by its name in the base model or, from the top, in the task model. */
  has(name: string, fromTop = false): boolean {
    return this.find(name, fromTop) !== undefined;
  }

  /** The shape of a weight as it is stored; undefined if it is not there. */
  dims(name: string, fromTop = false): number[] | undefined {
    return this.find(name, fromTop)?.dims;
  }

  /** True if a head's weight is stored beside the embedding that it should share, with other values. */
  isOther(head: string, embedding: string): boolean {
    const [own, shared] = [this.find(head, true), this.find(embedding, false)];
    if (own === undefined || shared === undefined) return false;
    return own.packed !== shared.packed || !sameBytes(own.data, shared.data);
  }

  /**
   * A weight in float32, under its name in the base model.
   *
   * @param fromTop true if the name is that in the task model: a head's
   * @throws AuroraError 'model' if it is missing, or has another shape or a type that cannot be read
   */
  get(name: string, dims: number[], fromTop = false): Tensor {
    const known = this.used.get(name);
    if (known) return known.tensor;
    const stored = this.find(name, fromTop);
    if (!stored) throw this.missing(this.storedName(name, fromTop));
    if (stored.packed) throw this.packedHere(stored);
    this.check(stored, dims);
    const tensor = { name, dtype: DType.float, dims, data: stored.data };
    this.used.set(name, { tensor, stored });
    return tensor;
  }

  /**
   * Lets a part of a stored weight count as a weight of the base model: the matrix of an expert in a tensor that has those of all.
   *
   * @param name of the part, by which `get` finds it
   * @param whole the stored weight, by its name in the base model, and its shape
   * @param first the number of values in it before the part
   * @throws AuroraError 'model' as for a whole weight
   */
  divide(name: string, dims: number[], whole: { name: string; dims: number[] }, first: number): void {
    if (this.dividePacked(name, whole, first / elementCount(dims))) return;
    const all = this.find(whole.name, false);
    if (!all) throw this.missing(this.storedName(whole.name, false));
    this.check(all, whole.dims);
    const bytes = BYTES.get(all.dtype)!;
    const offset = all.data.offset + bytes * first;
    const data = { ...all.data, offset, length: bytes * elementCount(dims) };
    const stored = { name: all.name, dtype: all.dtype, dims, data, whole: all };
    this.used.set(name, { tensor: { name, dtype: DType.float, dims, data }, stored });
  }

  /**
   * A weight of few bits, with names after its name in the base model; undefined if it is stored in floats.
   *
   * @param dims as before quantization
   * @throws AuroraError 'model' if it has another shape
   */
  packed(name: string, dims: number[], fromTop = false): PackedTensors | undefined {
    const known = this.unpacked.get(name);
    if (known) return known.tensors;
    const stored = this.find(name, fromTop);
    if (!stored?.packed) return undefined;
    const of = stored.packed.as(dims);
    if (stored.dims.length > 0) this.checkShape(stored, dims);
    const tensors = tensorsOf(of, name);
    this.unpacked.set(name, { of, tensors, stored });
    return tensors;
  }

  /**
   * @param module a linear layer, by its name in the base model
   * @throws AuroraError 'model' for one in floats that transformers quantizes when it loads the folder
   */
  requireQuantized(module: string): void {
    const name = this.storedName(module, false);
    const stored = this.find(`${module}.weight`, false);
    if (!stored || stored.packed || this.keepsFloats(name)) return;
    throw new AuroraError(
      'model',
      `${stored.data.path}: the weight of ${name} is stored in ${stored.dtype}, but quantization_config does not leave it out (llm_int8_skip_modules): transformers quantizes it when it loads the folder.`,
      'Remove quantization_config from config.json to train on the weights as they are; "quantize": 4 in "model" stores them in few bits.',
    );
  }

  /**
   * The bytes of a tensor of few bits under another type and other dims; they may be made later.
   *
   * @param ending of its name
   */
  viewOf(of: Tensor, ending: string, dtype: number, dims: number[]): Tensor {
    return this.partOf(of, 0, `${of.name}/${ending}`, dtype, dims);
  }

  /**
   * Lets a part of stacked weights of few bits count as a weight of the base model: that of an expert, as of a linear layer.
   *
   * @param name of the part, by which `packed` finds it
   * @param whole the stored weights, by their name in the base model, and their shape: (count, in, out)
   * @param nth the number of the part
   * @returns false if they are stored in floats
   */
  dividePacked(name: string, whole: { name: string; dims: number[] }, nth: number): boolean {
    const all = this.packed(whole.name, whole.dims);
    if (!all) return false;
    const [count] = whole.dims;
    const part = (of: Tensor, ending: string): Tensor => {
      const dims = [of.dims[0]! / count!, ...of.dims.slice(1)];
      return this.partOf(of, nth, name + ending, of.dtype, dims);
    };
    const tensors = {
      form: all.form,
      values: part(all.values, endingOf(all.form)),
      scales: part(all.scales, '_scales'),
      ...(all.zeros && { zeros: part(all.zeros, '_zero_points') }),
    };
    this.unpacked.set(name, { ...this.unpacked.get(whole.name)!, tensors });
    return true;
  }

  /** @param nth the number of the part, each of the size of this one */
  private partOf(of: Tensor, nth: number, name: string, dtype: number, dims: number[]): Tensor {
    const known = this.views.get(name);
    if (known) return known.tensor;
    const length = bytesIn(dtype, dims);
    const { data } = of;
    const tensor: Tensor = {
      name,
      dtype,
      dims,
      data: isFileRef(data) ? { ...data, offset: data.offset + nth * length, length } : data,
    };
    const outer = this.views.get(of.name);
    const start = (outer?.start ?? 0) + nth * length;
    this.views.set(name, { of: outer?.of ?? of, tensor, start, length });
    return tensor;
  }

  /** The places of the used weights, by their names in the graph. */
  places(): Map<string, StoredTensor> {
    return new Map([...this.used, ...this.unpacked].map(([name, { stored }]) => [name, stored]));
  }

  /** Used weights of 16 bits, whose bytes are not float32 yet. */
  toConvert(): Conversion[] {
    return [...this.used.values()].filter(({ stored }) => stored.dtype !== 'F32').map(floatConversion);
  }

  /** The tensors of weights of few bits that are not stored as the graph reads them. */
  toUnpack(): Conversion[] {
    const all = [...this.views.values()];
    return [...this.unpacked.values()].flatMap(({ of, tensors }) =>
      (['values', 'scales', 'zeros', 'order'] as const).flatMap((key) => {
        const [part, tensor] = [of[key], tensors[key]];
        const data = part?.data;
        // A part is read where the whole is written.
        if (!tensor || typeof data !== 'function' || this.views.has(tensor.name)) return [];
        const views = all.filter((view) => view.of === tensor);
        return [{ tensor, views, from: of.stored, as: `${of.layout} ${key}`, write: data }];
      }),
    );
  }

  private storedName(name: string, fromTop: boolean): string {
    const full = fromTop ? name : this.prefix + name;
    return full.startsWith(this.lacking) ? full.slice(this.lacking.length) : full;
  }

  private find(name: string, fromTop: boolean): StoredTensor | undefined {
    const full = this.storedName(name, fromTop);
    const own = this.stored.tensors.get(full);
    if (own || !/norm\w*\.(?:weight|bias)$/i.test(full)) return own;
    const names = OLD_NAMES.map(([now, before]) => full.replace(now, before));
    return names.map((n) => this.stored.tensors.get(n)).find((t) => t !== undefined);
  }

  private packedHere({ name, dtype, data }: StoredTensor): AuroraError {
    return new AuroraError(
      'model',
      `${data.path}: the weight ${name} is in few bits (${dtype}), where this model needs floats.`,
      'Download the model as it was before it was quantized; "quantize": 4 in "model" then stores it in few bits.',
    );
  }

  private check(stored: StoredTensor, dims: readonly number[]): void {
    const { name, dtype, data } = stored;
    const bytes = BYTES.get(dtype);
    if (bytes === undefined)
      throw new AuroraError(
        'model',
        `${data.path}: the weight ${name} has the type ${dtype}, but only ${[...BYTES.keys()].join(', ')} can be read.`,
        'Download the model in one of these types: quantized models of this kind cannot be trained on.',
      );
    this.checkShape(stored, dims);
    if (data.length !== bytes * elementCount(dims))
      throw new AuroraError(
        'model',
        `${data.path}: the weight ${name} of shape [${dims.join(', ')}] has ${data.length} bytes of data, not ${bytes * elementCount(dims)}.`,
        'The file is damaged: download it again.',
      );
  }

  private checkShape({ name, dims: found, data }: StoredTensor, dims: readonly number[]): void {
    if (found.join() !== dims.join())
      throw new AuroraError(
        'model',
        `${data.path}: the weight ${name} has the shape [${found.join(', ')}], but according to config.json it is [${dims.join(', ')}].`,
        'Download config.json and the weights again, from the same revision.',
      );
  }

  private missing(name: string): AuroraError {
    return new AuroraError(
      'model',
      `${this.folder}: the weights have no ${name}, which its config.json requires.`,
      'Download config.json and the weights again, from the same revision. An adapter alone (adapter_model.safetensors) is not a model.',
    );
  }
}

const bytesIn = (dtype: number, dims: readonly number[]): number =>
  elementCount(dims) * (isFourBit(dtype) ? 0.5 : byteSize(dtype)!);

/** Compared at a time. */
const PIECE = 2 ** 24;

function sameBytes(a: FileRef, b: FileRef): boolean {
  if (a.length !== b.length) return false;
  for (let done = 0; done < a.length; done += PIECE) {
    const length = Math.min(PIECE, a.length - done);
    const [one, other] = [a, b].map((ref) => readFileRef({ ...ref, offset: ref.offset + done, length }));
    if (Buffer.compare(one, other) !== 0) return false;
  }
  return true;
}

/** A tensor to be written: bytes of another file, or those that a function makes when it is their turn. */
export interface WrittenTensor {
  name: string;
  /** The type as in the header: F32, BF16, I64 … */
  dtype: string;
  dims: number[];
  data: FileRef | (() => Uint8Array);
}

/** Bytes that are copied at a time. */
const PIECE_BYTES = 2 ** 26;
/** Without it, transformers refuses a file. */
const METADATA = { format: 'pt' };

/**
 * Writes a safetensors file, whole, with one tensor in memory at a time. Its bytes are in the order of `tensors`.
 * https://huggingface.co/docs/safetensors (format section)
 */
export function writeTensors(path: string, tensors: readonly WrittenTensor[]): void {
  const header = nameTable<unknown>([['__metadata__', METADATA]]);
  let end = 0;
  for (const tensor of tensors)
    header[tensor.name] = {
      dtype: tensor.dtype,
      shape: tensor.dims,
      data_offsets: [end, (end += bytesOf(tensor))],
    };
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const start = Buffer.alloc(8 + length, ' ');
  start.writeBigUInt64LE(BigInt(length));
  json.copy(start, 8);
  replaceFile(path, (file) => {
    writeAll(file, start);
    for (const { data } of tensors)
      if (typeof data === 'function') writeAll(file, data());
      else copy(file, data);
  });
}

/** The bytes of a tensor in a file. */
export const bytesOf = ({ data, dtype, dims }: WrittenTensor): number =>
  typeof data === 'function' ? BYTES.get(dtype)! * elementCount(dims) : data.length;

function copy(file: number, ref: FileRef): void {
  for (let done = 0; done < ref.length; done += PIECE_BYTES)
    writeAll(
      file,
      readFileRef({ ...ref, offset: ref.offset + done, length: Math.min(PIECE_BYTES, ref.length - done) }),
    );
}
