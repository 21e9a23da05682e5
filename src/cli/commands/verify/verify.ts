import { loadExperiment } from '../../../runs/experiment/load';
import { AuroraError, EXIT } from '../../../base/errors';
import type { VerifyLine } from '../../../protocol/verification';
import { problemOf } from '../../../trainer/preflight/problems';
import { verifyExperiment } from '../../../trainer/verify/experiment';
import { one, threadCount, type Command } from '../../command';
import { placeOf } from '../../place';
import { temporaryFolder } from '../../temporary';
import { verifyText } from './report';
import { write } from '../../write';

export const verifyCommand: Command = {
  help: `Usage: aurora verify FILE.aurora.json [options]

Runs the experiment's own model and adapters on its first training batch, dropout masks included, through both
engines: ONNX Runtime with the backward graph that is trained with, and TensorFlow.js with the gradients of its own
tape. Compares loss, logits and the gradient of every trainable tensor, at the values a run starts from and at
perturbed ones, and names the first tensor that differs. Texts of which rounding decides a gradient, since a value lies
at the kink of a Relu, are left out, and said so. Always in float32. Leaves nothing behind.

  --set KEY=VALUE        override a setting, such as --set training.batchSize=4 (may be given several times)
  --device NAME          device of ONNX Runtime: cpu (default), webgpu or cuda
  --engine-device NAME   device of TensorFlow.js: wasm (default), cpu, webgpu or tensorflow
  --threads N            threads on the processor (default: one a core); wasm has one
  --json                 JSON lines, each as soon as it is known: setup, ran, kinks, result, problem

Leaves with 0 where the engines agree, with 1 where they differ, with 9 where an engine lacks an operator of the
model, and with 19 where a device cannot be used.
`,
  options: {
    device: { type: 'string' },
    'engine-device': { type: 'string' },
    set: { type: 'string', multiple: true },
    threads: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const json = args.flag('json');
    const emit = (line: VerifyLine) => write(json ? `${JSON.stringify(line)}\n` : verifyText(line));
    try {
      const spec = loadExperiment(one(args, 'experiment file', 'verify'), args.list('set'));
      const { agree } = await verifyExperiment(spec, {
        places: [
          placeOf('onnxruntime', args.text('device') ?? 'cpu'),
          placeOf('tfjs', args.text('engine-device') ?? 'wasm'),
        ],
        folder: temporaryFolder('verify'),
        threads: threadCount(args.text('threads')),
        emit,
      });
      return agree ? EXIT.ok : EXIT.failed;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};
