import { closeSync, fstatSync, readSync } from 'node:fs';
import type { FileRef, Model } from '../model';
import { AuroraError } from '../../base/errors';
import { openInput } from '../../files/inputs/open';
import { decodeGraph, decodeModelShell } from './decode';
import { decodeTensor } from './tensor';

/** Raw tensor data of this size or more stays in the file; below, a reference would cost more than it saves. */
const INLINE_LIMIT = 1024;

/**
 * Reads a model file without its weights: reads the wire format on disk and turns the raw data of every initializer
 * above a kilobyte into a reference into the file. Memory use is that of the structure alone.
 */
export function scanModel(path: string): Model {
  const file = new FileCursor(path);
  try {
    const shell: Uint8Array[] = [];
    let graph: Model['graph'] | undefined;
    while (file.pos < file.size) {
      const field = file.field(file.size);
      if (field.no === 7 && field.wire === 2) graph = scanGraph(file, field.end);
      else shell.push(file.slice(field.start, field.end));
      file.pos = field.end;
    }
    if (!graph) throw file.error(file.size === 0 ? 'it is empty' : 'it has no graph');
    const model = decodeModelShell(Buffer.concat(shell), graph);
    if (model.opsets.size === 0) throw file.error('it names no operator set');
    return model;
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw file.error((e as Error).message, e);
  } finally {
    file.close();
  }
}

function scanGraph(file: FileCursor, end: number): Model['graph'] {
  const rest: Uint8Array[] = [];
  const tensors: Model['graph']['initializers'] = new Map();
  while (file.pos < end) {
    const field = file.field(end);
    if (field.no === 5 && field.wire === 2) {
      const tensor = scanTensor(file, field.end);
      tensors.set(tensor.name, tensor);
    } else rest.push(file.slice(field.start, field.end));
    file.pos = field.end;
  }
  const graph = decodeGraph(Buffer.concat(rest));
  graph.initializers = tensors;
  return graph;
}

function scanTensor(file: FileCursor, end: number) {
  const rest: Uint8Array[] = [];
  let ref: FileRef | undefined;
  while (file.pos < end) {
    const field = file.field(end);
    const length = field.end - field.body;
    if (field.no === 9 && field.wire === 2 && length > INLINE_LIMIT)
      ref = { path: file.path, offset: field.body, length };
    else rest.push(file.slice(field.start, field.end));
    file.pos = field.end;
  }
  const tensor = decodeTensor(Buffer.concat(rest));
  if (ref) tensor.data = ref;
  return tensor;
}

interface Field {
  no: number;
  wire: number;
  start: number;
  /** The start of the value, after the tag and, for length-delimited fields, the length. */
  body: number;
  end: number;
}

class FileCursor {
  pos = 0;
  readonly size: number;
  private readonly fd: number;
  private readonly window = Buffer.alloc(1 << 16);
  private windowStart = 0;
  private windowEnd = 0;

  constructor(readonly path: string) {
    try {
      this.fd = openInput(path, 'model-data');
    } catch (e) {
      const missing = (e as NodeJS.ErrnoException).code === 'ENOENT';
      const why = missing ? 'the file does not exist' : (e as Error).message;
      throw new AuroraError(
        'model',
        `Cannot open the model ${path}: ${why}.`,
        'Check the path; in an experiment file it is relative to that file.',
      );
    }
    const stat = fstatSync(this.fd);
    this.size = stat.size;
    if (!stat.isFile()) {
      this.close();
      throw new AuroraError(
        'model',
        `The model ${path} is not a file.`,
        'Specify the path of an .onnx file.',
      );
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  error(why: string, cause?: unknown): AuroraError {
    const where = `(near byte ${this.pos} of ${this.size})`;
    const start = this.start();
    // Every exporter writes field 1 first: the IR version, a small number.
    if (start[0] === 0x08 && start[1]! >= 1 && start[1]! <= 30)
      return new AuroraError(
        'truncated',
        `${this.path} is a truncated or damaged ONNX model: ${why} ${where}.`,
        'Export or download the file again.',
        { cause },
      );
    return new AuroraError(
      'notOnnx',
      `${this.path} is not an ONNX model: ${why} ${where}.`,
      start.toString('latin1').startsWith('version https://git-lfs')
        ? 'It is a Git LFS pointer: `git lfs pull` fetches the model itself.'
        : 'Specify a serialized ModelProto, as written by torch.onnx.export.',
      { cause },
    );
  }

  private start(): Buffer {
    const start = Buffer.alloc(32);
    return start.subarray(0, readSync(this.fd, start, 0, start.length, 0));
  }

  slice(start: number, end: number): Uint8Array {
    const out = Buffer.alloc(end - start);
    let done = 0;
    while (done < out.length) {
      const n = readSync(this.fd, out, done, out.length - done, start + done);
      if (n === 0) throw this.error('the file ends too soon');
      done += n;
    }
    return out;
  }

  /** The next field, whose end must not pass `limit`. Leaves `pos` at its value. */
  field(limit: number): Field {
    const start = this.pos;
    const tag = this.varint();
    const no = Math.floor(tag / 8);
    const wire = tag % 8;
    if (no === 0) throw this.error('a field has no number');
    let end: number;
    let body = this.pos;
    if (wire === 0) {
      this.varint();
      end = this.pos;
    } else if (wire === 1) end = body + 8;
    else if (wire === 5) end = body + 4;
    else if (wire === 2) {
      const length = this.varint();
      body = this.pos;
      end = body + length;
    } else throw this.error(`a field has the unknown wire type ${wire}`);
    if (end > limit) throw this.error('a field runs past the end');
    this.pos = body;
    return { no, wire, start, body, end };
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.error('a number is too long');
  }

  private byte(): number {
    if (this.pos < this.windowStart || this.pos >= this.windowEnd) {
      this.windowStart = this.pos;
      this.windowEnd = this.pos + readSync(this.fd, this.window, 0, this.window.length, this.pos);
      if (this.pos >= this.windowEnd) throw this.error('the file ends too soon');
    }
    return this.window[this.pos++ - this.windowStart]!;
  }
}
