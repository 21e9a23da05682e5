import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { arch, cpus, freemem, platform, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../files/child-environment';
import type { GpuFacts, MachineFacts } from '../../protocol/doctor';

const exec = promisify(execFile);
/** A driver in trouble can make its own tool hang. */
const LIMIT_MS = 10_000;

/** The machine's report on itself. `webgpu` is the adapter as a child process saw it; undefined if there is none. */
export async function machineFacts(webgpu: GpuFacts | undefined): Promise<MachineFacts> {
  const nvidia = await nvidiaGpus();
  // If one card is seen twice, NVIDIA's own tool knows its memory.
  const seen = nvidia.find((g) => webgpu && sameCard(g, webgpu));
  const gpus = seen
    ? nvidia.map((g) => (g === seen ? { ...g, float16: webgpu!.float16 } : g))
    : [...nvidia, ...(webgpu ? [webgpu] : [])];
  const cores = cpus();
  return {
    platform: `${platform()}-${arch()}`,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    totalMemory: totalmem(),
    freeMemory: freemem(),
    gpus,
    missing: missing(webgpu, nvidia),
  };
}

const sameCard = (a: GpuFacts, b: GpuFacts): boolean =>
  b.name.toLowerCase().includes(a.name.toLowerCase().replace(/^nvidia /, ''));

async function nvidiaGpus(): Promise<GpuFacts[]> {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
  // Windows searches the working folder for programs first, and that folder may be untrusted.
  const cwd = dirname(process.execPath);
  const answer = await exec('nvidia-smi', query, {
    cwd,
    timeout: LIMIT_MS,
    windowsHide: true,
    env: childEnvironment(),
  }).catch(() => undefined);
  return answer ? parseNvidia(answer.stdout) : [];
}

/** Lines such as `NVIDIA H100 80GB HBM3, 550.54.15, 81559`, the memory in MiB. */
export function parseNvidia(text: string): GpuFacts[] {
  return text
    .split('\n')
    .map((line) => line.split(', '))
    .filter((cells) => cells.length === 3)
    .map(([name, driver, mebibytes]) => ({
      name: name.trim(),
      driver: `NVIDIA ${driver}`,
      ...(Number(mebibytes) > 0 && { memory: Number(mebibytes) * 2 ** 20 }),
      software: false,
      source: 'nvidia-smi' as const,
    }));
}

function missing(webgpu: GpuFacts | undefined, nvidia: readonly GpuFacts[]): MachineFacts['missing'] {
  const found: MachineFacts['missing'] = [];
  if (platform() === 'linux' && (!webgpu || webgpu.software)) {
    const card = nvidia.length > 0 || hasRenderNode();
    if (card)
      found.push({
        what: 'There is a graphics card, but Vulkan cannot access it, so webgpu cannot use it.',
        hint: nvidia.length
          ? "Install the Vulkan component of NVIDIA's driver (Debian: nvidia-vulkan-icd; Ubuntu: libnvidia-gl in the driver's version)."
          : 'Install the Mesa Vulkan drivers (Debian and Ubuntu: mesa-vulkan-drivers), and add your user to the group "render".',
      });
    else
      found.push({
        what: 'No usable graphics card was found.',
        hint: 'Training runs on the CPU. In a container, pass the card through (/dev/dri, or the NVIDIA runtime).',
      });
  }
  return found;
}

const hasRenderNode = (): boolean =>
  existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
