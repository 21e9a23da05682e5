import type { GpuFacts } from '../protocol/doctor';

/** The part of WebGPU's GPUAdapter that is read here. */
interface Adapter {
  info: {
    vendor: string;
    architecture: string;
    device: string;
    description: string;
    isFallbackAdapter?: boolean;
  };
  features: ReadonlySet<string>;
}

/**
 * The GPU that WebGPU uses, as reported by Dawn; undefined if there is none. A driver may crash: use a child process.
 */
export async function webgpuAdapter(): Promise<GpuFacts | undefined> {
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' });
  return adapter ? describeAdapter(adapter) : undefined;
}

/** On Linux the description is "name: driver and version"; elsewhere it is only the driver. */
export function describeAdapter({ info, features }: Adapter): GpuFacts {
  const [, name, driver] = /^(.*?): (.*)$/.exec(info.description) ?? [];
  return {
    name: name ?? (info.device || [info.vendor, info.architecture].filter(Boolean).join(' ')),
    ...((driver ?? info.description) && { driver: driver ?? info.description }),
    software: info.isFallbackAdapter === true || info.architecture === 'software',
    source: 'webgpu',
    float16: features.has('shader-f16'),
  };
}
