import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensors } from '../../src/engine/stepper';
import type { OrtDevice } from '../../src/engine/place';
import { openSession, type SessionOptions } from '../../src/engine/onnxruntime/session';

/** A node of the graph as the runtime executes it, after its own optimization. */
export interface PlacedNode {
  name: string;
  opType: string;
  provider: OrtDevice;
  /** Element types and dimensions of its inputs during the run. */
  inputs: { type: string; dims: number[] }[];
  microseconds: number;
}

/**
 * The device of each node of a model. The runtime silently moves nodes that a device's provider does not
 * support to the CPU. Measured in a single run with the runtime's profiler.
 *
 * @param model path of the file
 * @param feeds one batch
 */
export async function placement(
  model: string,
  device: OrtDevice,
  feeds: HostTensors,
  options: Omit<SessionOptions, 'device' | 'profile'> = {},
): Promise<PlacedNode[]> {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-placement-'));
  try {
    const session = await openSession(model, { ...options, device, profile: join(folder, 'run') });
    try {
      await session.run(feeds);
    } finally {
      // The profile is written when the session ends.
      await session.dispose();
    }
    return readdirSync(folder).flatMap((file) => readProfile(readFileSync(join(folder, file), 'utf8')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The number of nodes per device. */
export function countByProvider(nodes: readonly PlacedNode[]): Partial<Record<OrtDevice, number>> {
  const counts: Partial<Record<OrtDevice, number>> = {};
  for (const { provider } of nodes) counts[provider] = (counts[provider] ?? 0) + 1;
  return counts;
}

/** Float nodes that run on the CPU, although another device was requested. */
export const strayFloats = (nodes: readonly PlacedNode[]): PlacedNode[] =>
  nodes.filter((n) => n.provider === 'cpu' && n.inputs.some(({ type }) => /float|double/.test(type)));

const PROVIDERS: Record<string, OrtDevice> = {
  CPUExecutionProvider: 'cpu',
  WebGpuExecutionProvider: 'webgpu',
  CUDAExecutionProvider: 'cuda',
};

interface ProfileEvent {
  cat: string;
  name: string;
  dur: number;
  args?: { provider?: string; op_name?: string; input_type_shape?: Record<string, number[]>[] };
}

/** Parses the runtime's profile: Chrome trace events, one of which per node has its kernel's provider. */
export function readProfile(text: string): PlacedNode[] {
  const events = JSON.parse(text) as ProfileEvent[];
  return events.flatMap(({ cat, name, dur, args }) => {
    const provider = PROVIDERS[args?.provider ?? ''];
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || !provider) return [];
    const inputs = (args?.input_type_shape ?? []).flatMap((input) =>
      Object.entries(input).map(([type, dims]) => ({ type, dims })),
    );
    const node = name.slice(0, -'_kernel_time'.length);
    return [{ name: node, opType: args?.op_name ?? '', provider, inputs, microseconds: dur }];
  });
}
