import { closeSync, openSync, rmSync } from 'node:fs';
import { diskError, writeAll } from '../../files/atomic';
import type { Tensor } from '../model';
import { readTensorBytes } from '../values';

/** Tensors in a temporary file until the file that needs them is written, so that memory holds one at a time. */
export class KeptOnDisk {
  private readonly fd: number;
  private end = 0;

  constructor(private readonly path: string) {
    try {
      this.fd = openSync(path, 'wx');
    } catch (e) {
      throw diskError(path, e);
    }
  }

  /** A copy of the tensor with its values in the file. */
  add(tensor: Tensor): Tensor {
    const bytes = readTensorBytes(tensor);
    const offset = this.end;
    try {
      writeAll(this.fd, bytes, offset);
    } catch (e) {
      throw diskError(this.path, e);
    }
    this.end += bytes.byteLength;
    return { ...tensor, data: { path: this.path, offset, length: bytes.byteLength } };
  }

  remove(): void {
    closeSync(this.fd);
    rmSync(this.path, { force: true });
  }
}
