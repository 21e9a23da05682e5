import { describe, it } from 'vitest';
import { agrees } from './agrees';
import { allFiles } from './files';

describe('the engine agrees with PyTorch', () => {
  it.each(allFiles())('%s', (name) => agrees(name));
});
