import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StoredTensor } from '../../architectures/folder/weight-files';
import { writeTensors } from '../../architectures/folder/weights';
import { folderWeights, loadModelFrom } from '../../architectures/load';
import { modelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { MODEL_CONFIG } from '../../files/model-path';
import { DType } from '../../graph/dtype';
import { elementCount } from '../../graph/model';
import { prepareModel } from '../../graph/prepare';
import { floatValues, readFileRef } from '../../graph/values';
import { baseModel } from '../../peft/base-model';
import type { GgufPrecision } from '../../protocol/export';
import { measureTask } from '../../training/measure';
import type { Task } from '../../training/task/task';
import { copy, copyIfBeside } from '../base-files';
import type { Form } from '../export-forms';
import { requireUnquantized } from '../hub-form';
import { ChangedWeights, RoundingErrors } from '../hub-weights';
import { ENCODINGS, type TensorType } from './encodings';
import { placeOf, type Place } from './families';
import { MODEL_FILE } from './file-names';
import { type GgufTensor, writeGguf } from './gguf-file';
import { type GgufModel, ggufModel, requireSameGraph } from './gguf-model';
import { readGguf } from './gguf-reader';
import { dimsIn, fromFile, toFile } from './layout';
import { generalMetadata, nameFor, ropeFactors, settingsMetadata } from './model-metadata';
import { writeModelfile } from './modelfile';
import { ggufVocabulary } from './vocabulary';

const TYPES: Record<GgufPrecision, TensorType> = { float32: 'F32', float16: 'F16', q8_0: 'Q8_0' };

/** The whole model with W₀ + ΔW for W₀, its tokenizer and its chat template, as convert_hf_to_gguf.py of llama.cpp writes it. */
export const ggufFile: Form = {
  check({ task }) {
    requireUnquantized(task, 'gguf', 'gguf-lora or onnx-merged');
    planOf(task);
  },

  write({ task, parameters }, folder, _, { precision }) {
    const { spec, source } = task;
    const { model, places, vocabulary } = planOf(task);
    const { family, facts } = model;
    const type = TYPES[precision];
    const base = baseModel(spec.model.path);
    const changed = new ChangedWeights(
      task,
      parameters,
      new Map(places.map(({ key, stored }) => [key, stored])),
    );
    const errors = new RoundingErrors();
    const tensors = places.map(({ stored, place }) => tensorOf(stored, place, type, changed, errors));
    const factors = ropeFactors(facts).map(([name, values]): GgufTensor => {
      const data = () => [ENCODINGS.F32.encode(Float32Array.from(values))];
      return { name, dims: [values.length], type: 'F32', data };
    });
    const metadata = new Map([
      ...generalMetadata(family, 'model', { ...base, name: nameFor(base.name, vocabulary.tokens) }, type),
      ...settingsMetadata(family, facts),
      ...vocabulary.metadata,
    ]);
    writeGguf(join(folder, MODEL_FILE), metadata, [...factors, ...tensors]);
    writeModelfile(folder, task);
    for (const name of base.license.files) copyIfBeside(dirname(source.file), name, folder);
    return type === 'F32' ? {} : { rounding: errors.of(type) };
  },

  measure({ task }, folder, work) {
    const from = join(work, 'from-gguf');
    readBack(task, join(folder, MODEL_FILE), from);
    const model = prepareModel(loadModelFrom(modelSource(from)));
    const read: Task = { ...task, model, adapters: [], graph: { ...task.graph, adapters: [] } };
    return measureTask(read, new Map(), work);
  },
};

/** A weight of the model with its place in the file. */
interface Placed {
  /** Its name in the graph. */
  key: string;
  stored: StoredTensor;
  place: Place;
}

/** @throws AuroraError if the run cannot be written */
function planOf(task: Task) {
  const model = ggufModel(task, 'gguf');
  requireSameGraph(model);
  return {
    model,
    places: placesOf(model, task),
    vocabulary: ggufVocabulary(task.spec.model.tokenizer, model.facts.vocabulary),
  };
}

function placesOf({ family, facts }: GgufModel, { source }: Task): Placed[] {
  return [...folderWeights(source.file).places].map(([key, stored]) => {
    const place = placeOf(family, facts, key);
    if (place) return { key, stored, place };
    throw new AuroraError(
      'model',
      `llama.cpp has no tensor for ${key} of ${source.file} in models of the architecture ${family.architecture}.`,
      'Export with --as safetensors or onnx-merged.',
    );
  });
}

/** llama.cpp reads vectors and GPT-2's positions in float32 only; rows that are not whole blocks are in float16. */
function typeOf({ name }: Place, dims: readonly number[], type: TensorType): TensorType {
  if (dims.length < 2 || name === 'position_embd.weight') return 'F32';
  return dims.at(-1)! % ENCODINGS[type].block === 0 ? type : 'F16';
}

/** Values that are converted at a time, if their order does not change. */
const PIECE = 2 ** 22;

function tensorOf(
  stored: StoredTensor,
  place: Place,
  wanted: TensorType,
  changed: ChangedWeights,
  errors: RoundingErrors,
): GgufTensor {
  const dims = dimsIn(stored.dims, place.layout);
  const type = typeOf(place, dims, wanted);
  const { encode, decode } = ENCODINGS[type];
  const encoded = (values: Float32Array): Uint8Array => {
    const bytes = encode(values);
    if (type !== 'F32') requireFinite(place.name, decode(bytes), type);
    return bytes;
  };
  function* data() {
    const merged = changed.merged(stored);
    if (merged) {
      const bytes = encoded(toFile(merged.values, stored.dims, place.layout));
      if (type !== 'F32')
        errors.add(merged.values, fromFile(decode(bytes), stored.dims, place.layout), merged.before());
      yield bytes;
    } else if (place.layout.kind === 'same') {
      const size = dims.at(-1)!;
      const rows = elementCount(dims) / size;
      const step = Math.max(1, Math.floor(PIECE / size));
      for (let row = 0; row < rows; row += step)
        yield encoded(valuesOf(stored, row * size, Math.min(step, rows - row) * size));
    } else yield encoded(toFile(valuesOf(stored, 0, elementCount(stored.dims)), stored.dims, place.layout));
  }
  return { name: place.name, dims, type, data };
}

/** Types of weights in folders from the hub. */
const STORED: Readonly<Record<string, { dtype: number; bytes: number }>> = {
  F32: { dtype: DType.float, bytes: 4 },
  F16: { dtype: DType.float16, bytes: 2 },
  BF16: { dtype: DType.bfloat16, bytes: 2 },
};

/** Some of a weight's values. */
function valuesOf({ name, dtype: type, data }: StoredTensor, from: number, count: number): Float32Array {
  const { dtype, bytes } = STORED[type];
  const piece = { path: data.path, offset: data.offset + from * bytes, length: count * bytes };
  return floatValues({ name, dtype, dims: [count], data: piece });
}

function requireFinite(name: string, values: Float32Array, type: TensorType): void {
  if (values.every(Number.isFinite)) return;
  throw new AuroraError(
    'model',
    `The weight ${name} has values that ${type} cannot hold.`,
    'Export with --precision float32.',
  );
}

/** Writes a folder from the hub with the weights of a GGUF file in float32, as they were before they were converted. */
function readBack(task: Task, file: string, to: string): void {
  const { tensors } = readGguf(file);
  mkdirSync(to, { recursive: true });
  const written = placesOf(ggufModel(task, 'gguf'), task).map(({ stored: { name, dims }, place }) => {
    const { type, data } = tensors.get(place.name)!;
    const values = () => fromFile(ENCODINGS[type].decode(readFileRef(data)), dims, place.layout);
    const isAsStored = type === 'F32' && place.layout.kind === 'same';
    return { name, dtype: 'F32', dims, data: isAsStored ? data : () => ENCODINGS.F32.encode(values()) };
  });
  writeTensors(join(to, 'model.safetensors'), written);
  copy(task.source.file, join(to, MODEL_CONFIG));
}
