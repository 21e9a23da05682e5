import { AuroraError, EXIT } from '../../base/errors';
import { verifyExperiment } from '../../checks/verify/verify-experiment';
import { addVerifyLine, partsOfVerify, type VerifyLines } from '../../protocol/reports/verify-report';
import type { VerifyLine } from '../../protocol/verification';
import { loadExperiment } from '../../runs/experiment/load';
import { problemOf } from '../../training/preflight/preflight-problems';
import { type Command, one, threadCount } from '../command';
import { write } from '../output';
import { placeOf } from '../device-options';
import { writeReport } from '../report-text';
import { temporaryFolder } from '../temporary';

export const verifyCommand: Command = {
  help: `Usage: aurora verify FILE.aurora.json [options]

Runs the experiment's model and adapters on its first training batch, including dropout masks, in both engines: ONNX
Runtime with the backward graph used for training, and TensorFlow.js with gradients from its tape. Compares the
loss, the logits and the gradient of every trainable tensor, at a run's initial values and at perturbed ones, and names
the first tensor that differs. If rounding decides a gradient because a value is at the kink of a Relu, reports it and
leaves out the examples in question. Always in float32. Keeps nothing on disk.

  --set KEY=VALUE        override a setting, such as --set training.batchSize=4 (may be given several times)
  --device NAME          device of ONNX Runtime: cpu (default), webgpu or cuda
  --engine-device NAME   device of TensorFlow.js: wasm (default), cpu, webgpu or tensorflow
  --threads N            threads on the CPU (default: OMP_NUM_THREADS, or one per core); wasm has one
  --json                 JSON lines, each as soon as it is known: setup, ran, kinks, result, problem

Exits with 0 if the engines agree, with 1 if they differ, with 9 if an engine lacks an operator of the model, and with
19 if a device cannot be used.
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
    const lines: VerifyLines = { ran: [] };
    const emit = (line: VerifyLine) => {
      if (json) return write(`${JSON.stringify(line)}\n`);
      const progress = addVerifyLine(lines, line);
      return writeReport(partsOfVerify(line, lines), progress);
    };
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
