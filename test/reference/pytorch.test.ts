import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { allFiles } from './files';

describe('ONNX Runtime agrees with PyTorch', () => {
  it.each(allFiles())('on %s', (name) => agrees(name));
});
