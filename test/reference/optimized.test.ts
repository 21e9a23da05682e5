import { InferenceSession } from 'onnxruntime-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runModelCase } from '../../src/cli/commands/reference/model-case';
import { describeFailure, failures } from '../../src/cli/commands/reference/reference';
import { modelFile } from './files';
import { scratchFolder } from '../scratch';

const folder = scratchFolder('optimized');

/** Users also have models fused by ONNX Runtime, and the numbers must be the same. */
describe('models optimized by ONNX Runtime', () => {
  it.each(['bert-aurora', 'llama-aurora', 'more/gpt2', 'more/t5-encoder'])(
    'agree with PyTorch: %s',
    async (name) => {
      const file = modelFile(`${name}.json`);
      const optimized = join(folder, file.case.model);
      const session = await InferenceSession.create(file.modelPath, {
        graphOptimizationLevel: 'extended',
        optimizedModelFilePath: optimized,
        logSeverityLevel: 3,
      });
      await session.release();
      expect(failures(await runModelCase(optimized, file.case)).map(describeFailure)).toEqual([]);
    },
  );
});
