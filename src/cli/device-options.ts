import { AuroraError } from '../base/errors';
import type { DeviceRequest } from '../engine/devices';
import { type EngineName, ENGINES, type Place } from '../engine/place';
import type { ParsedArgs } from './command';

export const PLACE_OPTIONS = { engine: { type: 'string' }, device: { type: 'string' } } as const;

/** For completion. */
export const PLACE_VALUES = {
  engine: Object.keys(ENGINES),
  device: ['auto', ...new Set(Object.values(ENGINES).flat())],
};

/** An additional option of the commands that train. */
export const FALLBACK_OPTION = { fallback: { type: 'boolean' } } as const;

export const PLACE_HELP = `\
  --engine NAME      onnxruntime (default), or tfjs: TensorFlow.js, with its own gradients
  --device NAME      auto (default) measures a step on each device and takes the fastest; auto:cpu,webgpu measures
                     only these. onnxruntime has cpu, webgpu and cuda; tfjs has cpu, wasm, webgpu and tensorflow
  --fallback         if the device cannot be used, report it and use the CPU
`;

/** --engine, --device and --fallback of a command that trains. */
export const deviceRequest = (args: ParsedArgs): DeviceRequest =>
  requestOf(args.text('engine'), args.text('device'), args.flag('fallback'));

/** A request by the names of the options; undefined for one that is not given. */
export function requestOf(
  engineName: string | undefined,
  given: string | undefined,
  fallBack: boolean,
): DeviceRequest {
  const engine = engineOf(engineName);
  const several = given?.startsWith('auto:') ? given.slice('auto:'.length).split(',') : undefined;
  const device = several
    ? several.map((name) => placeOf(engine, name.trim()))
    : given === undefined || given === 'auto'
      ? 'auto'
      : placeOf(engine, given).device;
  return { engine, device, fallBack, given: { engine: engineName !== undefined, device: device !== 'auto' } };
}

/** --engine and --device of a command that runs on one device; the CPU by default. */
export const onePlace = (args: ParsedArgs): Place =>
  placeOf(engineOf(args.text('engine')), args.text('device') ?? 'cpu');

function engineOf(name: string | undefined): EngineName {
  if (name === undefined) return 'onnxruntime';
  if (isEngine(name)) return name;
  throw new AuroraError(
    'usage',
    `Unknown engine "${name}"; the engines are ${Object.keys(ENGINES).join(' and ')}.`,
    'Omit --engine to use ONNX Runtime.',
  );
}

const isEngine = (name: string): name is EngineName => Object.hasOwn(ENGINES, name);

/** @throws AuroraError 'usage' if the engine does not have this device */
export function placeOf(engine: EngineName, name: string): Place {
  const has = ENGINES[engine] as readonly string[];
  if (has.includes(name)) return { engine, device: name } as Place;
  const other = Object.keys(ENGINES).filter(isEngine);
  const owner = other.find((e) => (ENGINES[e] as readonly string[]).includes(name));
  throw new AuroraError(
    'usage',
    `The engine ${engine} has no device "${name}"; it has ${has.join(', ')}.`,
    owner
      ? `"${name}" is a device of --engine ${owner} (in the editor: aurora.engine).`
      : 'Omit --device to use the default.',
  );
}
