import { describe, expect, it } from 'vitest';
import { parse, type Command } from '../../../src/cli/command';
import { deviceRequest, FALLBACK_OPTION, onePlace, PLACE_OPTIONS } from '../../../src/cli/place';

const command: Command = {
  help: '',
  options: { ...PLACE_OPTIONS, ...FALLBACK_OPTION },
  run: () => Promise.resolve(0),
};
const args = (...argv: string[]) => parse(command, argv, 'train');

describe('--engine, --device and --fallback', () => {
  it('are ONNX Runtime and auto where nothing is said', () => {
    expect(deviceRequest(args())).toEqual({
      engine: 'onnxruntime',
      device: 'auto',
      fallBack: false,
      given: { engine: false, device: false },
    });
    expect(onePlace(args())).toEqual({ engine: 'onnxruntime', device: 'cpu' });
  });

  it('name a place', () => {
    expect(deviceRequest(args('--engine', 'tfjs', '--device', 'wasm', '--fallback'))).toEqual({
      engine: 'tfjs',
      device: 'wasm',
      fallBack: true,
      given: { engine: true, device: true },
    });
    // A resumed run stays on its device: "auto" names no other.
    expect(deviceRequest(args('--device', 'auto')).given.device).toBe(false);
  });

  it('name devices to measure between', () => {
    expect(deviceRequest(args('--device', 'auto:cpu, webgpu')).device).toEqual([
      { engine: 'onnxruntime', device: 'cpu' },
      { engine: 'onnxruntime', device: 'webgpu' },
    ]);
  });

  it.each([
    [['--device', 'gpu'], /no device "gpu"; it has cpu, webgpu, cuda\./, /the fastest/],
    [['--device', 'wasm'], /onnxruntime has no device "wasm"/, /a device of --engine tfjs/],
    [
      ['--engine', 'tfjs', '--device', 'cuda'],
      /it has cpu, wasm, webgpu, tensorflow\./,
      /--engine onnxruntime/,
    ],
    [['--engine', 'torch'], /no engine "torch"; there are onnxruntime and tfjs\./, /Leave --engine out/],
    [['--device', 'auto:cpu,'], /no device ""/, /the fastest/],
    [['--device', ''], /no device ""/, /the fastest/],
  ])('%j is no place', (argv, message, hint) => {
    const fail = () => deviceRequest(args(...argv));
    expect(fail).toThrow(message);
    expect(fail).toThrow(expect.objectContaining({ kind: 'usage', hint: expect.stringMatching(hint) }));
  });
});
