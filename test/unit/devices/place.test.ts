import { describe, expect, it } from 'vitest';
import { parse, type Command } from '../../../src/cli/command';
import { deviceRequest, FALLBACK_OPTION, onePlace, PLACE_OPTIONS } from '../../../src/cli/device-options';

const command: Command = {
  help: '',
  options: { ...PLACE_OPTIONS, ...FALLBACK_OPTION },
  run: () => Promise.resolve(0),
};
const args = (...argv: string[]) => parse(command, argv, 'train');

describe('--engine, --device and --fallback', () => {
  it('default to ONNX Runtime and auto', () => {
    expect(deviceRequest(args())).toEqual({
      engine: 'onnxruntime',
      device: 'auto',
      fallBack: false,
      given: { engine: false, device: false },
    });
    expect(onePlace(args())).toEqual({ engine: 'onnxruntime', device: 'cpu' });
  });

  it('choose an engine and a device', () => {
    expect(deviceRequest(args('--engine', 'tfjs', '--device', 'wasm', '--fallback'))).toEqual({
      engine: 'tfjs',
      device: 'wasm',
      fallBack: true,
      given: { engine: true, device: true },
    });
    // "auto" is not a choice: a resumed run stays on its device.
    expect(deviceRequest(args('--device', 'auto')).given.device).toBe(false);
  });

  it('can list devices to measure', () => {
    expect(deviceRequest(args('--device', 'auto:cpu, webgpu')).device).toEqual([
      { engine: 'onnxruntime', device: 'cpu' },
      { engine: 'onnxruntime', device: 'webgpu' },
    ]);
  });

  it.each([
    [['--device', 'gpu'], /no device "gpu"; it has cpu, webgpu, cuda\./, /the default/],
    [['--device', 'wasm'], /onnxruntime has no device "wasm"/, /a device of --engine tfjs/],
    [
      ['--engine', 'tfjs', '--device', 'cuda'],
      /it has cpu, wasm, webgpu, tensorflow\./,
      /--engine onnxruntime/,
    ],
    [
      ['--engine', 'torch'],
      /Unknown engine "torch"; the engines are onnxruntime and tfjs\./,
      /Omit --engine/,
    ],
    [['--device', 'auto:cpu,'], /no device ""/, /the default/],
    [['--device', ''], /no device ""/, /the default/],
  ])('reject %j', (argv, message, hint) => {
    const fail = () => deviceRequest(args(...argv));
    expect(fail).toThrow(message);
    expect(fail).toThrow(expect.objectContaining({ kind: 'usage', hint: expect.stringMatching(hint) }));
  });
});
