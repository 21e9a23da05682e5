import { describe, expect, it } from 'vitest';
import { memoryError, saysOutOfMemory } from '../../../src/engine/onnxruntime/device-errors';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { onWebgpu } from '../../webgpu';

process.env.ORT_DISABLE_TELEMETRY = '1';

/** The sum of x·xᵀ. The product has as many rows and columns as x has rows. */
function product(): Uint8Array {
  const graph: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '');
  const x = g.addInput('x', DType.float, ['n', 1]);
  const square = g.op('Exp', [g.op('MatMul', [x, g.op('Transpose', [x])])]);
  g.addOutput(g.op('ReduceSum', [square], { keepdims: 0 }));
  return encodeModel({
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  });
}

async function run(device: 'cpu' | 'webgpu', n: number): Promise<unknown> {
  const session = await openSession(product(), { device });
  const x = { dtype: DType.float, dims: [n, 1], data: new Float32Array(n) };
  return session.run({ x }).finally(() => session.dispose());
}

describe('running out of memory', () => {
  it('is reported on the CPU with the size of the failed allocation', async () => {
    // 256 TB is more than a process can address.
    await expect(run('cpu', 8_000_000)).rejects.toMatchObject({
      kind: 'memory',
      message:
        'The computation does not fit into the memory of ONNX Runtime on cpu: another 256 TB could not be allocated.',
      hint: 'Lower training.microBatchSize, or model.maxLength.',
    });
  });

  it.runIf(onWebgpu)('is reported on WebGPU', async () => {
    await expect(run('webgpu', 400_000)).rejects.toMatchObject({ kind: 'memory' });
  });

  it.each([
    // Observed on the CPU and with Mesa's Vulkan driver.
    "Non-zero status code returned while running FusedMatMul node. Name:'/op/MatMul' Status Message: Failed to allocate memory for requested buffer of size 6400000000",
    'std::bad_alloc',
    'numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage buffers in shader. Current: 24, Max is 16.',
    'vkCreateBuffer failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    // Taken from the sources of ONNX Runtime and Dawn.
    'CUDA failure 2: out of memory ; GPU=0 ; hostname=x ; file=cuda_allocator.cc ; line=67 ; expr=cudaMalloc((void**)&p, size);',
    'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
    'CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ; GPU=0',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid.',
    'bad allocation',
  ])('is recognized in: %s', (said) => expect(saysOutOfMemory(said)).toBe(true));

  it.each([
    'Non-zero status code returned while running Gather node. Status Message: indices element out of data bounds, idx=600 must be within the inclusive range [-512,511]',
    'Failed to get a WebGPU adapter: No supported adapters',
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    'WebGPU validation failed. [Invalid ShaderModule] is invalid.',
    'Load model from model.onnx failed: Protobuf parsing failed.',
  ])('is not recognized in: %s', (said) => expect(saysOutOfMemory(said)).toBe(false));

  it('is reported without a size if the runtime gives none', () =>
    expect(memoryError('cuda', new Error('CUDA failure 2: out of memory')).message).toBe(
      'The computation does not fit into the memory of ONNX Runtime on cuda.',
    ));
});
